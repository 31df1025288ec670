import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DeliberateBug } from '../node/deliberate-bugs.js'
import { lww } from '../record/resolution.js'
import { type ChangeSeen, CoordinationWorld, type Faults } from '../testing/coordination-world.js'

const calm: Faults = { loss: 0, duplicate: 0, delayMaxMs: 5, crash: 0, sync: 0.5 }
const options = { n: 1, r: 1, w: 1, resolution: lww }

interface Play {
  readonly nodes: number
  readonly changes: number
  /** Between two changes. */
  readonly gapMaxMs: number
  /** Node 1 loses its disk so often. */
  readonly wipes: number
  readonly faults: Faults
}

/** Nodes that race to create buckets and to change the voters, through faults; then the faults end. */
function play(seed: number, { nodes, changes, gapMaxMs, wipes, faults }: Play, bugs: readonly DeliberateBug[] = []) {
  const world = new CoordinationWorld(seed, nodes, faults, bugs)
  for (let i = 0; i < changes; i++) {
    world.run(world.random(gapMaxMs))
    const node = 1 + world.random(nodes)
    if (world.random(changes) < wipes) world.wipe(1)
    if (world.random(3) > 0) world.change(node, { type: 'createBucket', name: `b${i}`, options }, 3000)
    else {
      const voters = Array.from({ length: nodes }, (_, each) => each + 1).filter(() => world.random(2) === 0)
      // One wiped voter must not be a majority.
      if (voters.length > (wipes > 0 ? 2 : 0)) world.change(node, { type: 'setVoters', voters }, 3000)
    }
  }
  world.faults = calm
  world.run(6000)
  world.change(2, { type: 'createBucket', name: 'last', options }, 5000)
  world.run(6000)
  return world
}

const names = (world: CoordinationWorld, member: number) => world.topologyOf(member)!.buckets.map(({ name }) => name)

function violations(world: CoordinationWorld): string[] {
  const found: string[] = []
  for (const [epoch, values] of world.topologies) if (values.size > 1) found.push(`${values.size} of epoch ${epoch}`)
  const done = world.changes.filter(({ result }) => result?.status === 'ok')
  const epochOf = ({ result }: ChangeSeen) => (result?.status === 'ok' ? result.epoch : 0)
  for (const each of done) {
    const { change } = each
    if (change.type === 'createBucket' && !names(world, 1).includes(change.name)) found.push(`${change.name} is lost`)
    for (const later of done)
      if (later.beganAtMs > each.endedAtMs && epochOf(later) <= epochOf(each))
        found.push(`epoch ${epochOf(later)} began after ${epochOf(each)} was told`)
  }
  for (const { change, result } of world.changes)
    if (result?.status === 'error' && result.code === 'CASKADE_UNAVAILABLE' && change.type === 'createBucket')
      if (names(world, 1).includes(change.name)) found.push(`${change.name} is there, and was said not to be`)
  for (let member = 2; member <= world.nodes; member++)
    if (world.topologyOf(member)!.epoch !== world.topologyOf(1)!.epoch) found.push(`node ${member} is behind`)
  if (!names(world, 1).includes('last')) found.push('nothing is possible after the faults')
  return found
}

const anyPlay = fc.record({
  nodes: fc.constantFrom(3, 4, 5, 7),
  changes: fc.constantFrom(10, 40),
  gapMaxMs: fc.constantFrom(20, 150, 400),
  wipes: fc.constantFrom(0, 0, 3),
  faults: fc.record({
    loss: fc.constantFrom(0, 0.05, 0.3),
    duplicate: fc.constantFrom(0, 0.3),
    delayMaxMs: fc.constantFrom(5, 60, 600),
    crash: fc.constantFrom(0, 0.001, 0.01, 0.05),
    sync: fc.constantFrom(0.5, 0.02, 0.003),
  }),
})

test('one topology per epoch, in the order of time, and no change that was told is lost', () => {
  fc.assert(
    fc.property(fc.integer(), anyPlay, (seed, each) => {
      expect(violations(play(seed, each))).toEqual([])
    }),
    { numRuns: 60 },
  )
})

test('races that were lost before do not delay a change that comes when all is calm', () => {
  const found: Play = {
    nodes: 4,
    changes: 40,
    gapMaxMs: 20,
    wipes: 3,
    faults: { loss: 0.3, duplicate: 0, delayMaxMs: 600, crash: 0.01, sync: 0.02 },
  }
  expect(violations(play(-1889851412, found))).toEqual([])
})

describe('found out within 30 seeds', () => {
  const crashing: Play = {
    nodes: 3,
    changes: 100,
    gapMaxMs: 80,
    wipes: 0,
    faults: { loss: 0.05, duplicate: 0.1, delayMaxMs: 20, crash: 0.02, sync: 0.002 },
  }
  const losing: Play = {
    nodes: 4,
    changes: 100,
    gapMaxMs: 300,
    wipes: 0,
    faults: { loss: 0.3, duplicate: 0.1, delayMaxMs: 60, crash: 0.005, sync: 0.3 },
  }
  test.each([
    ['acceptor-answers-early', crashing],
    ['ballot-reused', losing],
    ['chosen-by-new-voters-only', losing],
    ['life-not-new', { ...losing, nodes: 3, wipes: 10 }],
  ] as const)('%s', (bug, each) => {
    const seeds = Array.from({ length: 30 }, (_, i) => i + 1)
    expect(seeds.some((seed) => violations(play(seed, each, [bug])).length > 0)).toBe(true)
    for (const seed of seeds.slice(0, 5)) expect(violations(play(seed, each)), `seed ${seed}`).toEqual([])
  })
})

test('what was chosen comes into force though all that had learnt it died', () => {
  const world = new CoordinationWorld(1, 5, { ...calm, sync: 0.05 })
  world.change(4, { type: 'createBucket', name: 'b', options }, 5000)
  while (world.changes[0]!.result === undefined) world.run(1)
  expect(world.changes[0]!.result).toEqual({ status: 'ok', epoch: 2 })
  const everybody = [1, 2, 3, 4, 5]
  for (const member of everybody) world.crash(member)
  world.run(40)
  expect(everybody.map((member) => world.topologyOf(member)!.epoch)).toEqual([1, 1, 1, 1, 1])
  world.run(15_000)
  expect(everybody.map((member) => world.topologyOf(member)!.epoch)).toEqual([2, 2, 2, 2, 2])
})

test('without faults a change takes two rounds, and all know it', () => {
  const world = new CoordinationWorld(1, 7, calm)
  world.change(7, { type: 'createBucket', name: 'b', options }, 1000)
  world.run(150)
  expect(world.changes[0]!.result).toEqual({ status: 'ok', epoch: 2 })
  for (let member = 1; member <= world.nodes; member++) expect(world.topologyOf(member)!.epoch).toBe(2)
})
