import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lww } from '../record/resolution.js'
import { createTopology } from './create-topology.js'
import { movesWanted } from './move-changes.js'
import type { Topology } from './topology.js'
import { changeTopology, type TopologyChange } from './topology-change.js'
import { decodeTopology, encodeTopology } from './topology-format.js'

const hex = (n: number) => n.toString(16).padStart(16, '0')
const node = (n: number) => ({ id: hex(n), host: `host${n}`, zone: `zone${n % 3}`, address: `address${n}` })
const cluster = (nodes: number, partitions = 16) =>
  createTopology({ nodes: Array.from({ length: nodes }, (_, i) => node(i + 1)), partitions })

let ids = 0
function changed(topology: Topology, change: TopologyChange): Topology {
  const outcome = changeTopology(topology, change, hex(++ids))
  if (outcome.status !== 'changed') throw new Error(JSON.stringify(outcome))
  return outcome.topology
}

const refusal = (topology: Topology, change: TopologyChange) => {
  const outcome = changeTopology(topology, change, hex(++ids))
  return outcome.status === 'refused' ? outcome.code : outcome.status
}

/** Every move there is to make, step by step. */
function settled(topology: Topology): Topology {
  let now = topology
  for (let wanted = movesWanted(now); wanted.length > 0; wanted = movesWanted(now)) {
    const partitions = wanted.slice(0, now.settings.movesMax)
    for (const step of ['start', 'advance', 'finish'] as const) now = changed(now, { type: 'moves', step, partitions })
  }
  return now
}

const stateOf = (topology: Topology, number: number) => topology.members.find((each) => each.number === number)?.state

describe('members', () => {
  test('one that joins is up once it has what it should own; one that leaves is removed once it has nothing', () => {
    const joined = changed(cluster(3), { type: 'join', node: node(4), life: hex(77) })
    expect(joined.members[3]).toMatchObject({ number: 4, incarnation: 1, state: 'joining', life: hex(77) })
    expect(joined.claim).toEqual(cluster(3).claim)
    const full = settled(joined)
    expect(stateOf(full, 4)).toBe('up')
    const leaving = changed(full, { type: 'leave', member: 1 })
    expect(stateOf(leaving, 1)).toBe('leaving')
    expect(leaving.voters).not.toContain(1)
    const left = settled(leaving)
    expect(stateOf(left, 1)).toBe('removed')
    expect(left.claim.flat()).not.toContain(1)
    expect(refusal(left, { type: 'leave', member: 1 })).toBe('CASKADE_NO_SUCH_MEMBER')
  })

  test('a node that lost its data is a new member of the next incarnation, and owns nothing yet', () => {
    const back = changed(cluster(4), { type: 'join', node: node(2), life: hex(99), after: 1 })
    expect(back.members.map(({ number, id, incarnation, state }) => [number, id, incarnation, state])).toEqual([
      [1, hex(1), 1, 'up'],
      [2, hex(2), 1, 'leaving'],
      [3, hex(3), 1, 'up'],
      [4, hex(4), 1, 'up'],
      [5, hex(2), 2, 'joining'],
    ])
    expect(back.voters).not.toContain(2)
    expect(back.voters).not.toContain(5)
    const full = settled(back)
    expect(full.claim.flat()).not.toContain(2)
    expect(changeTopology(full, { type: 'join', node: node(2), life: hex(99) }, hex(++ids)).status).toBe('unchanged')
  })

  test('what a life has asked for that has ended does not supplant the next one', () => {
    const next = changed(cluster(4), { type: 'join', node: node(2), life: hex(99), after: 1 })
    expect(refusal(next, { type: 'join', node: node(2), life: hex(98), after: 1 })).toBe('CASKADE_OTHER_LIFE')
    expect(refusal(next, { type: 'join', node: node(2), life: hex(98), after: 0 })).toBe('CASKADE_OTHER_LIFE')
    const again = changed(next, { type: 'join', node: node(2), life: hex(97), after: 2 })
    expect(again.members.at(-1)).toMatchObject({ id: hex(2), incarnation: 3, life: hex(97) })
  })

  test('a member that is replaced gives all to the one that replaces it, in one epoch', () => {
    const start = cluster(5, 64)
    const replaced = changed(start, { type: 'replace', member: 3, node: node(9), life: hex(5) })
    expect(replaced.epoch).toBe(2)
    const full = settled(replaced)
    const sets = (topology: Topology) => topology.claim.map((owners) => owners.toSorted((a, b) => a - b))
    expect(sets(full)).toEqual(
      start.claim.map((owners) => owners.map((each) => (each === 3 ? 6 : each)).sort((a, b) => a - b)),
    )
  })

  test('the last member cannot leave', () => {
    expect(refusal(cluster(1), { type: 'leave', member: 1 })).toBe('CASKADE_LAST_MEMBER')
  })

  test('a repeated change is recognized by its id', () => {
    const change = { type: 'createBucket', name: 'b', options: { n: 3, r: 2, w: 2, resolution: lww } } as const
    const once = changeTopology(cluster(3), change, hex(7))
    expect(once.status === 'changed' && changeTopology(once.topology, change, hex(7)).status).toBe('unchanged')
    expect(once.status === 'changed' && changeTopology(once.topology, change, hex(8))).toMatchObject({
      status: 'refused',
      code: 'CASKADE_BUCKET_EXISTS',
    })
  })
})

describe('moves', () => {
  const joined = changed(cluster(3), { type: 'join', node: node(4), life: hex(77) })
  const [partition] = movesWanted(joined) as [number]
  const step = (topology: Topology, step: 'start' | 'advance' | 'finish' | 'abort') =>
    changed(topology, { type: 'moves', step, partitions: [partition] })

  test('each step is an epoch, and dates the owners', () => {
    const started = step(joined, 'start')
    expect(started.moves).toEqual([{ partition, to: joined.target[partition], phase: 'readOld' }])
    expect(started.changedAt![partition]).toBe(3)
    const advanced = step(started, 'advance')
    expect(advanced.moves[0]!.phase).toBe('readNew')
    const finished = step(advanced, 'finish')
    expect(finished.moves).toEqual([])
    expect(finished.claim[partition]).toEqual(joined.target[partition])
    expect(finished.changedAt![partition]).toBe(5)
  })

  test('abort goes back to the old owners, from either phase', () => {
    for (const under of [step(joined, 'start'), step(step(joined, 'start'), 'advance')]) {
      const aborted = step(under, 'abort')
      expect(aborted.moves).toEqual([])
      expect(aborted.claim).toEqual(joined.claim)
      expect(movesWanted(aborted)).toContain(partition)
    }
  })

  test('no step out of order, none twice, not more at once than allowed', () => {
    const moves = (step: 'start' | 'advance' | 'finish' | 'abort', partitions: number[]) =>
      ({ type: 'moves', step, partitions }) as const
    expect(refusal(joined, moves('advance', [partition]))).toBe('CASKADE_MOVE_CONFLICT')
    expect(refusal(step(joined, 'start'), moves('finish', [partition]))).toBe('CASKADE_MOVE_CONFLICT')
    expect(refusal(step(joined, 'start'), moves('start', [partition]))).toBe('CASKADE_MOVE_CONFLICT')
    expect(refusal(cluster(3), moves('start', [0]))).toBe('CASKADE_MOVE_CONFLICT')
    expect(refusal(cluster(3), moves('start', [99]))).toBe('CASKADE_BAD_REQUEST')
    expect(refusal(joined, moves('start', [partition, partition]))).toBe('CASKADE_BAD_REQUEST')
    const few = changed(joined, { type: 'setSettings', settings: { movesMax: 1 } })
    expect(refusal(few, moves('start', movesWanted(few).slice(0, 2)))).toBe('CASKADE_TOO_MANY')
  })
})

describe('buckets', () => {
  const create = (n: number, r: number, w: number) =>
    changed(cluster(3), { type: 'createBucket', name: 'b', options: { n, r, w, resolution: lww } })
  const alter = (topology: Topology, options: object) => changed(topology, { type: 'alterBucket', name: 'b', options })

  test('an altered bucket still reads every write that was acknowledged before', () => {
    const weak = create(3, 3, 1)
    expect(refusal(weak, { type: 'alterBucket', name: 'b', options: { r: 1, w: 3 } })).toBe('CASKADE_BAD_REQUEST')
    const both = alter(weak, { w: 3 })
    // What was written with w=1 is still on one owner, perhaps.
    expect(refusal(both, { type: 'alterBucket', name: 'b', options: { r: 2 } })).toBe('CASKADE_BAD_REQUEST')
    expect(alter(create(3, 1, 3), { r: 3, w: 1 }).buckets[0]).toMatchObject({ r: 3, w: 1, held: 1 })
    expect(refusal(create(3, 2, 2), { type: 'alterBucket', name: 'b', options: { n: 2, r: 1, w: 2 } })).toBe(
      'CASKADE_BAD_REQUEST',
    )
  })

  test('another n changes the owners of every partition', () => {
    const before = create(2, 1, 2)
    expect(new Set(before.changedAt)).toEqual(new Set([1]))
    expect(new Set(alter(before, { n: 3, r: 2 }).changedAt)).toEqual(new Set([3]))
  })

  test('an impossible quorum is refused', () => {
    for (const [n, r, w] of [
      [3, 1, 2],
      [4, 3, 3],
      [3, 4, 1],
      [0, 1, 1],
      [2, 1.5, 2],
    ] as const)
      expect(
        refusal(cluster(5), { type: 'createBucket', name: 'x', options: { n, r, w, resolution: lww } }),
        `${n} ${r} ${w}`,
      ).toBe('CASKADE_BAD_REQUEST')
  })
})

test('voters: on distinct hosts, as many as the members allow, kept while they may vote', () => {
  expect(cluster(1).voters).toHaveLength(1)
  expect(cluster(2).voters).toHaveLength(1)
  expect(cluster(4).voters).toHaveLength(3)
  expect(cluster(20).voters).toHaveLength(5)
  const crowded = createTopology({
    nodes: [1, 2, 3, 4, 5, 6].map((n) => ({ ...node(n), host: `host${n <= 4 ? 1 : n}`, zone: '' })),
    partitions: 4,
  })
  expect(crowded.voters).toEqual(expect.arrayContaining([5, 6]))
  const chosen = changed(cluster(7), { type: 'setVoters', voters: [3, 5, 7] })
  expect(chosen).toMatchObject({ voters: [3, 5, 7], previousVoters: cluster(7).voters })
  const next = changed(chosen, { type: 'leave', member: 5 })
  expect(next.voters).toEqual(expect.arrayContaining([3, 7]))
  expect(refusal(chosen, { type: 'setVoters', voters: [8] })).toBe('CASKADE_NO_SUCH_MEMBER')
  expect(refusal(chosen, { type: 'setVoters', voters: [] })).toBe('CASKADE_BAD_REQUEST')
})

const anyChange: fc.Arbitrary<TopologyChange> = fc.oneof(
  fc.record({
    type: fc.constant('join' as const),
    node: fc.integer({ min: 1, max: 12 }).map(node),
    life: fc.nat(40).map(hex),
  }),
  fc.record({ type: fc.constantFrom('leave' as const, 'remove' as const), member: fc.integer({ min: 1, max: 14 }) }),
  fc.record({
    type: fc.constant('replace' as const),
    member: fc.integer({ min: 1, max: 14 }),
    node: fc.integer({ min: 1, max: 12 }).map(node),
    life: fc.nat(40).map(hex),
  }),
  fc.record({
    type: fc.constant('createBucket' as const),
    name: fc.constantFrom('a', 'b', 'c'),
    options: fc.record({
      n: fc.integer({ min: 1, max: 4 }),
      r: fc.integer({ min: 1, max: 3 }),
      w: fc.integer({ min: 1, max: 3 }),
      resolution: fc.constant(lww),
    }),
  }),
  fc.record({
    type: fc.constant('setVoters' as const),
    voters: fc.array(fc.integer({ min: 1, max: 14 }), { maxLength: 5 }),
  }),
  fc.record({
    type: fc.constant('setSettings' as const),
    settings: fc.record({ replicas: fc.integer({ min: 1, max: 5 }) }),
  }),
  fc.record({
    type: fc.constant('moves' as const),
    step: fc.constantFrom('start' as const, 'advance' as const, 'finish' as const, 'abort' as const),
    partitions: fc.uniqueArray(fc.nat(7), { minLength: 1, maxLength: 4 }),
  }),
)

test('whatever is asked in whatever order, a topology stays sound, and its bytes say all of it', () => {
  fc.assert(
    fc.property(fc.array(anyChange, { maxLength: 40 }), (changes) => {
      let topology = cluster(3, 8)
      const numbers = new Map(topology.members.map(({ number, life, id }) => [number, life + id]))
      for (const change of changes) {
        const outcome = changeTopology(topology, change, hex(++ids))
        if (outcome.status !== 'changed') continue
        const next = outcome.topology
        expect(next.epoch).toBe(topology.epoch + 1)
        expect(next.previousVoters).toEqual(topology.voters)
        const present = new Set(next.members.filter(({ state }) => state !== 'removed').map(({ number }) => number))
        for (const owner of [...next.claim, ...next.target, ...next.moves.map(({ to }) => to)].flat())
          expect(present).toContain(owner)
        for (const [partition, owners] of next.claim.entries()) {
          expect(owners.length).toBeGreaterThan(0)
          expect(new Set(owners).size).toBe(owners.length)
          if (owners !== topology.claim[partition]) expect(next.changedAt![partition]).toBe(next.epoch)
        }
        expect(next.voters.length).toBeGreaterThan(0)
        for (const voter of next.voters) expect(present).toContain(voter)
        for (const { number, life, id } of next.members) {
          expect(numbers.get(number) ?? life + id).toBe(life + id)
          numbers.set(number, life + id)
        }
        expect(new Set(next.members.map(({ id, incarnation }) => `${id} ${incarnation}`)).size).toBe(
          next.members.length,
        )
        const bytes = encodeTopology(next)
        expect(encodeTopology(decodeTopology(bytes))).toEqual(bytes)
        topology = next
      }
    }),
    { numRuns: 30 },
  )
})
