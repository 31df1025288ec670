import { expect, test } from 'vitest'
import type { Topology } from '../coordination/topology.js'
import { changeTopology, type TopologyChange } from '../coordination/topology-change.js'
import { SmallCluster, type SmallClusterOptions, text, valuesOf } from '../testing/small-cluster.js'

/** Members 1 to 3 own everything, 4 is there; the register is a variable. */
function cluster(options: SmallClusterOptions = {}) {
  const of = new SmallCluster({ nodes: 4, ...options, config: { hintBytesMax: 0, ...options.config } })
  const steps: string[] = []
  const changes = { ids: 0 }
  const propose = (change: TopologyChange) => {
    const outcome = changeTopology(of.topology, change, (++changes.ids).toString(16).padStart(16, '0'))
    if (outcome.status !== 'changed') return
    if (change.type === 'moves') steps.push(change.step)
    of.topology = outcome.topology
  }
  const wire = (member: number) => {
    of.nodes[member]!.rebalance.propose = (change, _deadlineMs, ended, now) => {
      propose(change)
      ended({ status: 'ok', epoch: of.topology.epoch }, now)
    }
  }
  for (const member of [1, 2, 3, 4]) wire(member)
  /** Everybody who can be reached hears of the topology, each 50 ms later than the one before. */
  const run = (ms: number, reached: readonly number[] = [1, 2, 3, 4]) => {
    for (let i = 0; i < ms; i += 50) {
      const next = reached.find((member) => of.nodes[member]!.topology.epoch < of.topology.epoch)
      if (next !== undefined) of.nodes[next]!.adoptTopology(of.topology, of.now())
      of.run(50)
    }
  }
  const moveTo = (owners: readonly number[]) => {
    const next: Topology = { ...of.topology, target: [owners], epoch: of.topology.epoch + 1 }
    of.topology = next
  }
  return { of, steps, propose, run, moveTo, wire }
}

const records = (of: SmallCluster, member: number) => of.stores[member]!.scan(0, undefined, 10_000).length

test('a partition moves: all of it is there, and the old owner has nothing left', () => {
  const { of, steps, run, moveTo } = cluster()
  for (let i = 0; i < 500; i++) of.put(1, `key${i}`, `value${i}`)
  moveTo([2, 3, 4])
  run(4000)
  expect(steps).toEqual(['start', 'advance', 'finish'])
  expect(of.topology.claim).toEqual([[2, 3, 4]])
  expect([1, 2, 3, 4].map((member) => records(of, member))).toEqual([0, 500, 500, 500])
  expect(valuesOf(of.get(1, 'key7'))).toEqual(['value7'])
})

test('writes and reads go on while it moves, and each read sees the writes before it', () => {
  const { of, run, moveTo } = cluster()
  for (let i = 0; i < 100; i++) of.put(1, `key${i}`, 'old')
  moveTo([4, 2, 3])
  for (let i = 0; i < 60; i++) {
    const written = of.ask(1 + (i % 4), { type: 'put', key: text(`key${i}`), value: text(`new${i}`) })
    while (!of.results.has(written)) run(50)
    expect(of.results.get(written)!.status).toBe('ok')
    const read = of.ask(1 + ((i + 1) % 4), { type: 'get', key: text(`key${i}`) })
    while (!of.results.has(read)) run(50)
    expect(valuesOf(of.results.get(read))).toEqual([`new${i}`])
  }
  run(2000)
  expect(of.topology.moves).toEqual([])
  for (let i = 0; i < 60; i++) expect(valuesOf(of.get(1, `key${i}`, { level: 'all' }))).toEqual([`new${i}`])
})

test('what only one old owner had acknowledged comes along', () => {
  const { of, run, moveTo } = cluster()
  of.link = () => false
  of.answer(of.ask(1, { type: 'put', key: text('key'), value: text('alone'), level: 'one' }))
  of.run(1500)
  of.link = () => true
  moveTo([2, 3, 4])
  run(4000)
  expect(valuesOf(of.get(4, 'key', { level: 'one' }))).toEqual(['alone'])
})

test('it does not go on without the new owner, nor without an old one that may come back', () => {
  for (const away of [4, 1]) {
    const { of, steps, run, moveTo } = cluster()
    of.put(1, 'key', 'value', { level: 'all' })
    moveTo([2, 3, 4])
    run(300)
    of.link = (from, to) => from !== away && to !== away
    run(
      3000,
      [1, 2, 3, 4].filter((member) => member !== away),
    )
    expect(steps).not.toContain('finish')
    of.link = () => true
    run(8000)
    expect(steps[steps.length - 1]).toBe('finish')
    expect(valuesOf(of.get(4, 'key', { level: 'one' }))).toEqual(['value'])
  }
})

test('an old owner that leaves and is dead is done without', () => {
  const { of, run, propose } = cluster()
  for (let i = 0; i < 20; i++) of.put(1, `key${i}`, 'value')
  of.run(500)
  of.link = (from, to) => from !== 1 && to !== 1
  of.verdicts.set(1, 'dead')
  propose({ type: 'remove', member: 1 })
  run(6000, [2, 3, 4])
  expect([...of.topology.claim[0]!].sort()).toEqual([2, 3, 4])
  expect(records(of, 4)).toBe(20)
})

const damage = (of: SmallCluster, member: number, key: string) =>
  of.stores[member]!.rot(0, Uint8Array.of(0, 0, ...text(key)))

test('an old owner that cannot read a record heals it from the others, and the move goes on', () => {
  const { of, run, moveTo } = cluster()
  for (let i = 0; i < 200; i++) of.put(1, `key${i}`, `value${i}`, { level: 'all' })
  of.link = () => false
  of.answer(of.ask(1, { type: 'put', key: text('single'), value: text('alone'), level: 'one' }))
  of.run(1500)
  of.link = () => true
  damage(of, 1, 'key3')
  moveTo([2, 3, 4])
  run(12_000)
  expect(of.topology.moves).toEqual([])
  expect(records(of, 4)).toBe(201)
  expect(valuesOf(of.get(4, 'single', { level: 'one' }))).toEqual(['alone'])
})

test('an owner before and after, whose record rots when the others have pulled it, meets that as it pulls, and heals it', () => {
  const { of, run, moveTo } = cluster()
  for (let i = 0; i < 20; i++) of.put(1, `key${i}`, 'old', { level: 'all' })
  moveTo([2, 3, 4])
  // Members 3 and 4 get everything; member 2 waits for what member 1 has.
  of.link = (from, to) => !(from === 1 && to === 2)
  run(2000)
  damage(of, 2, 'key3')
  expect(of.put(3, 'key3', 'new').status).toBe('ok')
  of.link = () => true
  run(8000)
  expect(of.topology.moves).toEqual([])
  expect(of.topology.claim).toEqual([[2, 3, 4]])
  expect(valuesOf(of.get(2, 'key3', { level: 'one' }))).toEqual(['new'])
})

test('an old owner whose damage nobody can heal is done without, said aloud', () => {
  const { of, run, moveTo } = cluster()
  for (let i = 0; i < 50; i++) of.put(1, `key${i}`, `value${i}`, { level: 'all' })
  of.link = () => false
  of.answer(of.ask(1, { type: 'put', key: text('single'), value: text('alone'), level: 'one' }))
  of.run(1500)
  of.link = () => true
  damage(of, 1, 'single')
  moveTo([2, 3, 4])
  run(20_000)
  expect(of.topology.moves).toEqual([])
  expect(records(of, 4)).toBe(50)
  expect(of.events.some((event) => event.includes('source-unreadable'))).toBe(true)
})

test('when the driver dies, the next member goes on', () => {
  const { of, run, moveTo } = cluster({ owners: [2, 3, 4] })
  moveTo([3, 4, 2])
  run(50)
  of.nodes[1]!.rebalance.propose = undefined
  run(1000)
  expect(of.topology.claim).toEqual([[2, 3, 4]])
  of.verdicts.set(1, 'dead')
  run(6000)
  expect(of.topology.claim).toEqual([[3, 4, 2]])
})

test('after each step the register is left to others for a while', () => {
  const { of, run, moveTo } = cluster()
  const proposedAtMs: number[] = []
  for (const member of [1, 2, 3, 4]) {
    const { rebalance } = of.nodes[member]!
    const { propose } = rebalance
    rebalance.propose = (change, deadlineMs, ended, now) => {
      proposedAtMs.push(now.monotonicMs)
      propose!(change, deadlineMs, ended, now)
    }
  }
  moveTo([2, 3, 4])
  run(6000)
  expect(proposedAtMs.length).toBeGreaterThanOrEqual(3)
  for (let i = 1; i < proposedAtMs.length; i++)
    expect(proposedAtMs[i]! - proposedAtMs[i - 1]!).toBeGreaterThanOrEqual(300)
})

test('whoever crashes on the way, it goes on', () => {
  for (const victim of [1, 2, 4]) {
    const { of, run, moveTo, wire } = cluster({ config: { repairBytesPerSecond: 200_000, hintBytesMax: 0 } })
    for (let i = 0; i < 300; i++) of.put(1, `key${i}`, 'v'.repeat(2000))
    moveTo([2, 3, 4])
    run(700)
    expect(of.topology.moves).toHaveLength(1)
    const before = records(of, 4)
    expect(before).toBeGreaterThan(0)
    expect(before).toBeLessThan(300)
    of.crash(victim)
    wire(victim)
    run(12_000)
    expect(of.topology.moves).toEqual([])
    expect([1, 2, 3, 4].map((member) => records(of, member))).toEqual([0, 300, 300, 300])
  }
})

test('given up, it leaves nothing behind', () => {
  const { of, steps, run, moveTo } = cluster({ config: { repairBytesPerSecond: 200_000, hintBytesMax: 0 } })
  for (let i = 0; i < 300; i++) of.put(1, `key${i}`, 'v'.repeat(2000))
  moveTo([2, 3, 4])
  run(700)
  moveTo([1, 2, 3])
  run(2000)
  expect(steps).toEqual(['start', 'abort'])
  expect([1, 2, 3, 4].map((member) => records(of, member))).toEqual([300, 300, 300, 0])
})

test('after a drop the same node mints other dots', () => {
  const { of, run, moveTo } = cluster()
  of.put(1, 'key', 'first', { bucket: 's', level: 'all' })
  const read = of.get(1, 'key', { bucket: 's' })
  if (read.status !== 'ok') throw new Error(read.status)
  const before = of.nodes[1]!.epoch.actor
  moveTo([2, 3, 4])
  run(4000)
  expect(of.nodes[1]!.epoch.actor).toBeGreaterThan(before)
})

test('what an earlier process did not come to drop is dropped later, when the disk has room', () => {
  const { of, run, moveTo } = cluster()
  of.put(1, 'key', 'value', { level: 'all' })
  moveTo([2, 3, 4])
  run(4000)
  of.stores[1]!.put(0, Uint8Array.of(0, 0, 1), of.stored(2, 'key')!)
  of.stores[1]!.sync()
  of.stores[1]!.full = true
  of.start(1)
  of.run(10)
  expect(records(of, 1)).toBe(1)
  of.stores[1]!.full = false
  of.run(1200)
  expect(records(of, 1)).toBe(0)
})
