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
