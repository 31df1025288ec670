import { expect, test } from 'vitest'
import { ModelReplicaStore } from './model-replica-store.js'
import { replicaStoreSuite } from './replica-store-suite.js'
import { storeErrorCode } from './store-error.js'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const text = (value: Uint8Array | undefined) => value && Buffer.from(value).toString()

replicaStoreSuite('the model', async () => {
  const store = new ModelReplicaStore()
  return { open: () => store, durable: async () => {} }
})

function codeOf(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    return storeErrorCode(error)
  }
}

test('a crash forgets what was not durable, as a suffix', () => {
  const store = new ModelReplicaStore()
  store.put(1, bytes('a'), bytes('kept'))
  store.sync()
  store.put(1, bytes('a'), bytes('second'))
  store.put(1, bytes('b'), bytes('third'))
  store.remove(1, bytes('a'))
  store.crash(store.ticket - 1)
  expect([text(store.get(1, bytes('a'))), text(store.get(1, bytes('b')))]).toEqual(['second', 'third'])
  expect(store.lostUnsynced).toBe(true)
  expect([store.ticket, store.durableTicket]).toEqual([0, 0])
  store.put(1, bytes('b'), bytes('lost'))
  store.dropPartition(1)
  store.crash()
  expect(store.scan(1, undefined, 9).map(({ key, record }) => [text(key), text(record)])).toEqual([
    ['a', 'second'],
    ['b', 'third'],
  ])
})

test('an orderly restart keeps everything and says so', () => {
  const store = new ModelReplicaStore()
  store.slow = true
  store.put(1, bytes('a'), bytes('1'))
  store.restart()
  store.crash()
  expect(text(store.get(1, bytes('a')))).toBe('1')
  store.restart()
  expect(store.lostUnsynced).toBe(false)
})

test('a slow disk becomes durable when it is told to, up to what was asked for', () => {
  const store = new ModelReplicaStore()
  store.slow = true
  store.put(1, bytes('a'), bytes('1'))
  store.put(1, bytes('b'), bytes('1'))
  store.sync()
  store.put(1, bytes('c'), bytes('1'))
  expect([store.durableTicket, store.syncWantedTicket]).toEqual([0, 2])
  store.becomeDurable(1)
  expect(store.durableTicket).toBe(1)
  store.becomeDurable(3)
  expect(store.durableTicket).toBe(2)
  store.crash()
  expect(store.scan(1, undefined, 9).map(({ key }) => text(key))).toEqual(['a', 'b'])
})

test('a full disk refuses every write and answers every read', () => {
  const store = new ModelReplicaStore()
  store.put(1, bytes('a'), bytes('1'))
  store.full = true
  const writes = [
    () => store.put(1, bytes('a'), bytes('2')),
    () => store.remove(1, bytes('a')),
    () => store.dropPartition(1),
    () => store.putMeta('m', bytes('1')),
  ]
  expect(writes.map(codeOf)).toEqual(writes.map(() => 'CASKADE_DISK_FULL'))
  expect([text(store.get(1, bytes('a'))), store.ticket]).toEqual(['1', 1])
  store.full = false
  store.put(1, bytes('a'), bytes('2'))
  expect(text(store.get(1, bytes('a')))).toBe('2')
})

test('after a failed sync nothing is durable any more and nothing can be written', () => {
  const store = new ModelReplicaStore()
  store.put(1, bytes('a'), bytes('1'))
  store.failSync()
  store.sync()
  expect(store.durableTicket).toBe(0)
  expect(codeOf(() => store.put(1, bytes('b'), bytes('1')))).toBe('CASKADE_READ_ONLY')
  store.restart()
  expect([store.get(1, bytes('a')), store.lostUnsynced]).toEqual([undefined, true])
})

test('rot is an error until the record is written again, and comes back with it after a crash', () => {
  const store = new ModelReplicaStore()
  store.put(1, bytes('a'), bytes('1'))
  store.put(1, bytes('b'), bytes('1'))
  store.sync()
  expect([store.rot(1, bytes('a')), store.rot(1, bytes('absent'))]).toEqual([true, false])
  const read = () => [codeOf(() => store.get(1, bytes('a'))), codeOf(() => store.scan(1, undefined, 9))]
  expect(read()).toEqual(['CASKADE_CORRUPTION', 'CASKADE_CORRUPTION'])
  expect(text(store.get(1, bytes('b')))).toBe('1')
  store.put(1, bytes('a'), bytes('2'))
  expect(read()).toEqual([undefined, undefined])
  store.crash()
  expect(read()).toEqual(['CASKADE_CORRUPTION', 'CASKADE_CORRUPTION'])
})

test('a new disk is empty', () => {
  const store = new ModelReplicaStore()
  store.put(7, bytes('a'), bytes('1'))
  store.putMeta('identity', bytes('me'))
  expect(store.partitions()).toEqual([7])
  store.wipe()
  expect([store.partitions(), store.getMeta('identity'), store.lostUnsynced]).toEqual([[], undefined, true])
})
