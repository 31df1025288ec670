import { expect, test } from 'vitest'
import type { NodeConfig } from '../node/node-config.js'
import type { KeyResult } from '../node/result.js'
import { joinContexts } from '../record/context-format.js'
import { SmallCluster, type SmallClusterOptions, text, valuesOf } from '../testing/small-cluster.js'

const config: Partial<NodeConfig> = { repairIntervalMs: 500, tombstoneGraceMs: 300, hintBytesMax: 0 }
const cluster = (options: SmallClusterOptions = {}) =>
  new SmallCluster({ ...options, config: { ...config, ...options.config } })

const records = (of: SmallCluster, member: number) => of.stores[member]!.scan(0, undefined, 10_000)
const copies = (of: SmallCluster, key: string, bucket = 0) => [1, 2, 3].map((member) => of.stored(member, key, bucket))
const isSame = (of: SmallCluster, key: string) => {
  const [first, ...rest] = copies(of, key)
  return first !== undefined && rest.every((each) => each !== undefined && Buffer.compare(each, first) === 0)
}
/** Member 3 hears nothing of what happens meanwhile. */
function without3(of: SmallCluster, happens: () => void): void {
  of.link = (from, to) => from !== 3 && to !== 3
  happens()
  of.run(700)
  of.link = () => true
}
const rounds = (of: SmallCluster) => of.nodes.reduce((sum, node) => sum + node.repair.rounds.completed, 0)
const pulledBytes = (of: SmallCluster) => of.nodes.reduce((sum, node) => sum + node.repair.pulls.bytes, 0)

test('what an owner has missed comes by itself', () => {
  const of = cluster()
  without3(of, () => {
    for (let i = 0; i < 50; i++) of.put(1, `key${i}`, `value${i}`)
  })
  expect(records(of, 3)).toHaveLength(0)
  of.run(1500)
  expect(records(of, 3)).toHaveLength(50)
  for (let i = 0; i < 50; i++) expect(isSame(of, `key${i}`)).toBe(true)
})

test('differences on both sides are merged, not overwritten', () => {
  const of = cluster()
  of.put(1, 'key', 'first', { bucket: 's', level: 'all' })
  of.link = () => false
  for (const member of [1, 2, 3])
    of.ask(member, { type: 'put', bucket: 's', level: 'one', key: text('key'), value: text(`by ${member}`) })
  of.run(1500)
  of.link = () => true
  of.run(1500)
  const [one, two, three] = copies(of, 'key', 1)
  expect(Buffer.compare(one!, two!)).toBe(0)
  expect(Buffer.compare(one!, three!)).toBe(0)
  expect(valuesOf(of.get(1, 'key', { bucket: 's', level: 'one' })).sort()).toEqual(['by 1', 'by 2', 'by 3', 'first'])
})

test('what it costs grows with the differences, not with what is there', () => {
  const of = cluster()
  for (let i = 0; i < 1000; i++) of.put(1, `key${i}`, 'v'.repeat(200), { level: 'all' })
  of.run(2000)
  const before = pulledBytes(of)
  of.run(5000)
  const quiet = pulledBytes(of) - before
  const passes = () => of.nodes.reduce((sum, node) => sum + node.repair.pulls.passes, 0)
  expect(passes()).toBeGreaterThan(30)
  expect(quiet / 60).toBeLessThan(100)
  without3(of, () => of.put(1, 'key7', 'changed'))
  const again = pulledBytes(of)
  of.run(1500)
  expect(isSame(of, 'key7')).toBe(true)
  expect(pulledBytes(of) - again).toBeLessThan(20_000)
})

test('a lost question is put again, and a restart begins with a scan', () => {
  const of = cluster()
  without3(of, () => {
    for (let i = 0; i < 300; i++) of.put(1, `key${i}`, 'value')
  })
  let frame = 0
  of.link = () => frame++ % 3 !== 0
  of.run(800)
  of.crash(3)
  of.crash(1)
  of.run(6000)
  expect(records(of, 3)).toHaveLength(300)
})

test('rounds end, and are written down durably', () => {
  const of = cluster()
  of.put(1, 'key', 'value')
  of.run(2000)
  expect(rounds(of)).toBeGreaterThan(1)
  for (const member of [1, 2, 3]) {
    const repairedMs = of.nodes[member]!.local.stamps!.repairedMs[0]!
    expect(repairedMs).toBeGreaterThan(1_700_000_000_000)
    of.crash(member)
    expect(of.nodes[member]!.local.stamps!.repairedMs[0]).toBeGreaterThanOrEqual(repairedMs)
  }
})

test('a tombstone goes when all owners have it, and nothing comes back', () => {
  const of = cluster()
  of.put(1, 'key', 'value', { level: 'all' })
  without3(of, () => of.answer(of.ask(1, { type: 'delete', key: text('key') })))
  of.run(5000)
  expect([1, 2, 3].map((member) => records(of, member).length)).toEqual([0, 0, 0])
  expect(of.get(2, 'key', { level: 'all' }).status).toBe('notFound')
})

test('a tombstone stays while an owner, or any other member, is away', () => {
  for (const away of [3, 4]) {
    const of = cluster({ nodes: 4 })
    of.put(1, 'key', 'value', { level: 'all' })
    of.link = (from, to) => from !== away && to !== away
    of.answer(of.ask(1, { type: 'delete', key: text('key') }))
    of.run(5000)
    expect(records(of, 1)).toHaveLength(1)
    of.link = () => true
    of.run(12_000)
    expect(records(of, 1)).toHaveLength(0)
  }
})

test('a tombstone stays while somebody keeps a hint for its partition', () => {
  const of = cluster({ nodes: 4, config: { hintBytesMax: 1 << 20, hintReplayBytesPerSecond: 0 } })
  of.put(1, 'other', 'value', { level: 'all' })
  without3(of, () => of.put(1, 'key', 'value'))
  of.answer(of.ask(1, { type: 'delete', key: text('key'), level: 'all' }))
  of.run(5000)
  expect(of.nodes[1]!.hints.targets.size).toBe(1)
  expect(of.stored(3, 'key')).toBeDefined()
})

test('what has expired is collected like what was deleted', () => {
  const of = cluster()
  of.put(1, 'key', 'value', { expiresAt: of.wallMs + 1000 })
  of.put(1, 'stays', 'value', { expiresAt: of.wallMs + 1_000_000 })
  of.run(5000)
  expect([1, 2, 3].map((member) => records(of, member).length)).toEqual([1, 1, 1])
})

test('after a collection the same node mints other dots: nothing new is taken for seen', () => {
  const of = cluster()
  of.put(1, 'key', 'value', { bucket: 's', level: 'all' })
  const read = of.get(1, 'key', { bucket: 's' })
  if (read.status !== 'ok') throw new Error(read.status)
  of.answer(of.ask(1, { type: 'delete', bucket: 's', key: text('key'), context: read.context }))
  of.run(4000)
  expect(of.stored(1, 'key', 1)).toBeUndefined()
  of.put(1, 'key', 'new', { bucket: 's' })
  // The old context covers dots of an earlier epoch: it does not cover the new write.
  of.put(2, 'key', 'newer', { bucket: 's', context: read.context })
  expect(valuesOf(of.get(3, 'key', { bucket: 's' })).sort()).toEqual(['new', 'newer'])
})

const contextOf = (result: KeyResult): Uint8Array => {
  if (result.status === 'error') throw new Error(result.message)
  return result.context
}

test('a session that has seen what is collected since reads on: what all owners had, and is gone, was deleted', () => {
  const of = cluster({ nodes: 4 })
  let sessionContext = contextOf(of.put(1, 'key', 'value', { level: 'session' }))
  of.answer(of.ask(2, { type: 'delete', key: text('key') }))
  of.run(5000)
  expect(of.stored(1, 'key')).toBeUndefined()
  // Through an owner, and through one that is none.
  for (const through of [1, 4])
    expect(of.get(through, 'key', { level: 'session', sessionContext }).status, `through ${through}`).toBe('notFound')
  // Written again, by others: its history knows nothing of what the session has seen.
  of.put(2, 'key', 'again')
  for (const through of [1, 4, 3]) {
    const read = of.get(through, 'key', { level: 'session', sessionContext })
    expect(valuesOf(read)).toEqual(['again'])
    sessionContext = joinContexts(sessionContext, contextOf(read))
  }
  // What it has seen since is as binding as ever.
  const ours = contextOf(of.put(1, 'key', 'ours', { level: 'session' }))
  sessionContext = joinContexts(sessionContext, ours)
  of.link = (from, to) => ![1, 2].includes(from) && ![1, 2].includes(to)
  of.stores[3]!.remove(0, Uint8Array.of(0, 0, ...text('key')))
  expect(of.get(3, 'key', { level: 'session', sessionContext })).toMatchObject({ code: 'CASKADE_UNAVAILABLE' })
})

test('a session read waits for what is not known to be collected, even if nobody has it', () => {
  const of = cluster({ config: { repairIntervalMs: Number.POSITIVE_INFINITY } })
  const sessionContext = contextOf(of.put(1, 'key', 'value', { level: 'all' }))
  for (const member of [1, 2, 3]) of.stores[member]!.remove(0, Uint8Array.of(0, 0, ...text('key')))
  expect(of.get(1, 'key', { level: 'session', sessionContext })).toMatchObject({ code: 'CASKADE_UNAVAILABLE' })
})

test('collected by age alone, a deleted value comes back: the deliberate bug', () => {
  const of = cluster({ bugs: ['tombstone-collected-by-age'] })
  of.put(1, 'key', 'value', { level: 'all' })
  without3(of, () => of.answer(of.ask(1, { type: 'delete', key: text('key') })))
  of.run(3000)
  expect(valuesOf(of.get(1, 'key', { level: 'all' }))).toEqual(['value'])
})
