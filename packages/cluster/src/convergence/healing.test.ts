import { expect, test } from 'vitest'
import { SmallCluster, type SmallClusterOptions, text, valuesOf } from '../testing/small-cluster.js'

const cluster = (options: SmallClusterOptions = {}) =>
  new SmallCluster({ ...options, config: { repairIntervalMs: 500, hintBytesMax: 0, ...options.config } })

const rot = (of: SmallCluster, member: number, key: string) =>
  of.stores[member]!.rot(0, Uint8Array.of(0, 0, ...text(key)))
const isReadable = (of: SmallCluster, member: number, key: string) => {
  try {
    return of.stored(member, key) !== undefined
  } catch {
    return false
  }
}

test('what is damaged at one owner is healed from the others, without a read of it', () => {
  const of = cluster()
  for (let i = 0; i < 300; i++) of.put(1, `key${i}`, `value${i}`, { level: 'all' })
  rot(of, 2, 'key7')
  rot(of, 2, 'key250')
  // Its tree is made by a scan: another life.
  of.start(2)
  const before = of.nodes[2]!.epoch.actor
  of.run(3000)
  for (const key of ['key7', 'key250']) expect(of.stored(2, key)).toEqual(of.stored(1, key))
  expect(of.nodes[2]!.repair.healing.healed).toBe(2)
  expect(of.nodes[2]!.epoch.actor).toBeGreaterThan(before)
  expect(of.nodes[2]!.repair.trees.of(0).isReady).toBe(true)
})

test('damage that came after the hash was taken is found by a pull that brings something newer of the key', () => {
  // Nobody pulls but as told, so nobody reads the record meanwhile.
  const of = cluster({ config: { repairIntervalMs: Number.POSITIVE_INFINITY } })
  for (const key of ['key1', 'key2']) of.put(1, key, 'old', { level: 'all' })
  const { trees, pulls, healing } = of.nodes[2]!.repair
  trees.of(0)
  of.run(10)
  expect(trees.of(0).isReady).toBe(true)
  rot(of, 2, 'key1')
  expect(of.put(1, 'key1', 'new').status).toBe('ok')
  of.run(1000)
  expect(isReadable(of, 2, 'key1')).toBe(false)
  pulls.pull(0, pulls.othersOf(0), () => {})
  of.run(3000)
  expect(healing.healed).toBe(1)
  expect(trees.of(0).isReady).toBe(true)
  whole(of, ['key1', 'key2'])
  expect(valuesOf(of.get(2, 'key1', { level: 'one' }))).toEqual(['new'])
})

test('it is not healed from some of the others: the one that is away may know better', () => {
  const of = cluster()
  of.put(1, 'key', 'old', { level: 'all' })
  of.link = (from, to) => from !== 1 && to !== 1
  of.put(2, 'key', 'new')
  of.link = (from, to) => from !== 3 && to !== 3
  rot(of, 2, 'key')
  of.start(2)
  // Only member 1 can be asked, and it has the old value.
  of.run(10_000)
  expect(isReadable(of, 2, 'key')).toBe(false)
  of.link = () => true
  of.run(10_000)
  expect(valuesOf(of.get(2, 'key', { level: 'one' }))).toEqual(['new'])
})

test('what nobody else has stays damaged, and is never said to be absent', () => {
  const of = cluster()
  of.put(1, 'other', 'value', { level: 'all' })
  of.link = () => false
  of.answer(of.ask(2, { type: 'put', key: text('key'), value: text('alone'), level: 'one' }))
  of.run(1500)
  rot(of, 2, 'key')
  of.start(2)
  of.link = () => true
  of.run(5000)
  expect(of.nodes[2]!.repair.healing.isExhausted(0)).toBe(true)
  expect(of.get(1, 'key', { level: 'all' }).status).toBe('error')
})

/** Keys as they are at each owner, and who can mint what: all that a rebuild is for. */
const whole = (of: SmallCluster, keys: readonly string[]) => {
  for (const key of keys)
    for (const member of [1, 2, 3]) expect(of.stored(member, key), `${key} at ${member}`).toEqual(of.stored(1, key))
}

test('two owners damaged in different places: each takes what the other can read', () => {
  const of = cluster()
  const keys = Array.from({ length: 50 }, (_, i) => `key${i}`)
  for (const key of keys) of.put(1, key, `value of ${key}`, { level: 'all' })
  // Of these, owner 3 knows nothing: each is left in one readable copy.
  of.link = (from, to) => from !== 3 && to !== 3
  for (const key of ['only1', 'only2']) of.put(1, key, 'new')
  of.run(2000)
  for (const key of ['key3', 'key4', 'only1']) expect(rot(of, 1, key)).toBe(true)
  for (const key of ['key30', 'key31', 'only2']) expect(rot(of, 2, key)).toBe(true)
  of.link = () => true
  of.start(1)
  of.start(2)
  of.run(6000)
  whole(of, [...keys, 'only1', 'only2'])
  for (const member of [1, 2]) expect(of.nodes[member]!.repair.healing.healed).toBe(3)
  for (const key of ['only1', 'only2']) expect(valuesOf(of.get(3, key, { level: 'all' }))).toEqual(['new'])
})

test('what was written again while it was being healed is merged, not replaced', () => {
  const of = cluster()
  of.put(1, 'key', 'old', { level: 'all' })
  rot(of, 2, 'key')
  of.start(2)
  // Pulls of member 2 stop halfway: member 3 is cut off from it.
  of.link = (from, to) => !(from === 3 && to === 2)
  of.run(1500)
  of.stores[2]!.put(0, Uint8Array.of(0, 0, ...text('key')), of.stored(1, 'key')!)
  of.put(2, 'key', 'new')
  of.link = () => true
  of.run(5000)
  expect(valuesOf(of.get(1, 'key', { level: 'all' }))).toEqual(['new'])
  whole(of, ['key'])
})

test('the machine dies in the middle of a rebuild, at every step: the next life ends it', () => {
  for (let survives = 0; ; survives++) {
    const of = cluster()
    const keys = Array.from({ length: 6 }, (_, i) => `key${i}`)
    for (const key of keys) of.put(1, key, `value of ${key}`, { level: 'all' })
    const rotten = ['key0', 'key2', 'key5']
    for (const key of rotten) rot(of, 2, key)
    of.stores[2]!.slow = true
    const { actor } = of.start(2).epoch
    const before = of.stores[2]!.ticket
    for (let i = 0; i < 3000 && of.nodes[2]!.repair.healing.healed === 0; i++) of.run(1)
    expect(of.nodes[2]!.repair.healing.healed).toBe(3)
    const steps = of.stores[2]!.ticket - before
    of.stores[2]!.crash(before + survives)
    const replaced = rotten.filter((key) => isReadable(of, 2, key))
    of.start(2)
    // Whatever it has forgotten, it does not mint as the one that knew.
    if (replaced.length > 0) expect(of.nodes[2]!.epoch.actor).toBeGreaterThan(actor)
    of.run(4000)
    whole(of, keys)
    expect(of.nodes[2]!.repair.trees.of(0).isReady).toBe(true)
    if (survives === steps) {
      expect(steps).toBeGreaterThanOrEqual(2 * rotten.length)
      return
    }
  }
})

test('a store that cannot go past its damage is exhausted: it is not pulled for again and again', () => {
  const of = cluster()
  for (let i = 0; i < 20; i++) of.put(1, `key${i}`, `value${i}`, { level: 'all' })
  rot(of, 2, 'key7')
  const store = of.stores[2]!
  store.scanReadable = (partition) => ({ records: store.scan(partition, undefined, 100), damaged: [], upTo: undefined })
  of.start(2)
  of.run(5000)
  expect(of.nodes[2]!.repair.healing.isExhausted(0)).toBe(true)
  expect(of.put(1, 'key7', 'again').status).toBe('ok')
})
