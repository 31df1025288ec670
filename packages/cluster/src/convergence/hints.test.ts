import { expect, test } from 'vitest'
import { defaultNodeConfig } from '../node/node-config.js'
import { ModelReplicaStore } from '../store/model-replica-store.js'
import { SmallCluster, text } from '../testing/small-cluster.js'
import { HintStore } from './hint-store.js'

/** Member 3 is away and misses some writes. */
function away(options: ConstructorParameters<typeof SmallCluster>[0] = {}): SmallCluster {
  const cluster = new SmallCluster(options)
  cluster.verdicts.set(3, 'dead')
  cluster.link = (from, to) => from !== 3 && to !== 3
  for (let i = 0; i < 20; i++) expect(cluster.put(1, `k${i}`, 'v')).toMatchObject({ status: 'ok' })
  return cluster
}

function back(cluster: SmallCluster): void {
  cluster.verdicts.clear()
  cluster.link = () => true
}

const missing = (cluster: SmallCluster) =>
  Array.from({ length: 20 }, (_, i) => cluster.stored(3, `k${i}`)).filter((record) => record === undefined).length

test('what an owner missed is kept for it and handed on when it is back', () => {
  const cluster = away()
  expect(cluster.nodes[1]!.hints.targets.get(3)).toBe(20)
  const { actor } = cluster.nodes[1]!.epoch
  back(cluster)
  cluster.run(1000)
  expect(missing(cluster)).toBe(0)
  expect(cluster.nodes[1]!.hints.bytes).toBe(0)
  // The records themselves are still here: no dot is forgotten.
  expect(cluster.nodes[1]!.epoch.actor).toBe(actor)
})

test('hints survive a restart, and a hint whose acknowledgement is lost is sent again', () => {
  const cluster = away()
  cluster.stores[1]!.sync()
  cluster.crash(1)
  expect(cluster.nodes[1]!.hints.targets.get(3)).toBe(20)
  back(cluster)
  cluster.link = (from, to) => !(from === 3 && to === 1)
  cluster.run(500)
  expect(missing(cluster)).toBe(0)
  expect(cluster.nodes[1]!.hints.targets.get(3)).toBe(20)
  back(cluster)
  cluster.run(4000)
  expect(cluster.nodes[1]!.hints.bytes).toBe(0)
})

test('with the bug, a hint is gone when it is sent', () => {
  const cluster = away({ bugs: ['hint-forgotten-when-sent'] })
  cluster.verdicts.clear()
  cluster.run(500)
  expect(cluster.nodes[1]!.hints.bytes).toBe(0)
  back(cluster)
  cluster.run(3000)
  expect(missing(cluster)).toBe(20)
})

test('replay is throttled by bytes a second', () => {
  const cluster = away({ config: { hintReplayBytesPerSecond: 1000 } })
  back(cluster)
  cluster.run(1000)
  expect(missing(cluster)).toBeGreaterThan(5)
  cluster.run(4000)
  expect(missing(cluster)).toBe(0)
})

test('hints are bounded by bytes and by age', () => {
  const full = away({ config: { hintBytesMax: 1000 } })
  expect(full.nodes[1]!.hints.bytes).toBeLessThanOrEqual(1000)
  expect(full.nodes[1]!.hints.targets.get(3)).toBeLessThan(20)

  const old = away()
  old.run(200)
  old.wallMs += defaultNodeConfig.hintAgeMaxMs + 1
  old.run(200)
  expect(old.nodes[1]!.hints.bytes).toBe(0)
  expect(old.nodes[1]!.hintReplay.expired).toBe(20)
})

test('a later write of the same key replaces its hint, and what is acknowledged of the earlier one does not remove it', () => {
  const cluster = away()
  const { hints } = cluster.nodes[1]!
  const [first] = hints.page(3, undefined, 1)
  cluster.put(1, 'k0', 'newer')
  cluster.run(300)
  expect(hints.targets.get(3)).toBe(20)
  expect(hints.holds(first!)).toBe(false)
})

test('the bytes are counted again when a node starts', () => {
  const store = new ModelReplicaStore()
  const hints = new HintStore(store, 1 << 20)
  const key = Uint8Array.of(0, 0, ...text('k'))
  hints.put(5, 7, key, text('record'), 1000)
  hints.put(5, 7, key, text('longer record'), 2000)
  hints.put(6, 7, key, text('record'), 3000)
  const reopened = new HintStore(store, 1 << 20)
  expect(reopened.bytes).toBe(hints.bytes)
  expect([...reopened.targets]).toEqual([
    [5, 1],
    [6, 1],
  ])
  const [hint] = reopened.page(5, undefined, 10)
  expect(hint).toMatchObject({ target: 5, partition: 7, keptAtMs: 1000 })
  expect([...hint!.key]).toEqual([...key])
  reopened.remove(hint!)
  expect([...reopened.targets.keys()]).toEqual([6])
})

test('a hint that is the only copy of an acknowledged write outlives its age: any owner that is back gets it', () => {
  const cluster = new SmallCluster({ nodes: 4, owners: [1, 2, 3] })
  for (const owner of [1, 2, 3]) cluster.verdicts.set(owner, 'dead')
  cluster.link = () => false
  expect(cluster.put(4, 'k', 'v', { level: 'eventual', w: 1 })).toMatchObject({ status: 'ok' })
  expect([...cluster.nodes[4]!.hints.targets.keys()]).toContain(1)
  cluster.wallMs += defaultNodeConfig.hintAgeMaxMs + 1
  cluster.run(500)
  expect(cluster.nodes[4]!.hints.bytes).toBeGreaterThan(0)
  // Not the one that it was kept for.
  cluster.verdicts.delete(2)
  cluster.link = (from, to) => ![1, 3].includes(from) && ![1, 3].includes(to)
  cluster.run(1000)
  expect(cluster.stored(2, 'k')).toBeDefined()
  expect(cluster.nodes[4]!.hints.bytes).toBe(0)
})

test('a hint for one that is no owner any more waits until the move has ended', () => {
  const cluster = new SmallCluster({ nodes: 5, owners: [1, 2, 3] })
  for (const owner of [1, 2, 3]) cluster.verdicts.set(owner, 'dead')
  cluster.link = () => false
  cluster.put(4, 'k', 'v', { level: 'eventual', w: 1 })
  cluster.link = (from, to) => ![1, 2, 3].includes(from) && ![1, 2, 3].includes(to)
  const moving = { partition: 0, to: [5, 2, 3], phase: 'readOld' } as const
  cluster.wallMs += defaultNodeConfig.hintAgeMaxMs + 1
  cluster.adopt({ ...cluster.topology, epoch: 2, moves: [moving], changedAt: [2] })
  cluster.run(1000)
  // Were the move given up now, 5 would drop all that it has.
  expect(cluster.stored(5, 'k')).toBeUndefined()
  cluster.adopt({ ...cluster.topology, epoch: 3, claim: [[5, 2, 3]], target: [[5, 2, 3]], moves: [], changedAt: [3] })
  cluster.run(1000)
  expect(cluster.stored(5, 'k')).toBeDefined()
})
