import { beforeEach, describe, expect, test } from 'vitest'
import type { ReplicaStore } from './replica-store.js'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const text = (value: Uint8Array | undefined) => value && Buffer.from(value).toString()

/** What every replica store must do, whatever is behind the port. `durable` waits until everything asked for is durable. */
export interface ReplicaStorePlace {
  open(): ReplicaStore
  durable(): Promise<void>
}

export function replicaStoreSuite(name: string, makePlace: () => Promise<ReplicaStorePlace>): void {
  describe(`replica store suite: ${name}`, () => {
    let place: ReplicaStorePlace
    let store: ReplicaStore
    const get = (partition: number, key: string) => text(store.get(partition, bytes(key)))
    const put = (partition: number, key: string, record: string) => store.put(partition, bytes(key), bytes(record))
    const scanned = (partition: number, after?: string, limit = 100) =>
      store
        .scan(partition, after === undefined ? undefined : bytes(after), limit)
        .map(({ key, record }) => `${text(key)}=${text(record)}`)

    beforeEach(async () => {
      place = await makePlace()
      store = place.open()
    })

    test('what was put is read until it is overwritten or removed', () => {
      expect(get(3, 'a')).toBeUndefined()
      put(3, 'a', '1')
      put(3, 'a', '2')
      expect(get(3, 'a')).toBe('2')
      store.remove(3, bytes('a'))
      expect(get(3, 'a')).toBeUndefined()
    })

    test('the same key in two partitions is two records', () => {
      put(3, 'a', '3')
      put(4, 'a', '4')
      store.remove(4, bytes('a'))
      expect([get(3, 'a'), get(4, 'a')]).toEqual(['3', undefined])
    })

    test('an empty key, an empty record and any byte in a key are as good as others', () => {
      const odd = new Uint8Array([0, 0xff, 0x7f, 0x80])
      store.put(0, odd, new Uint8Array())
      store.put(0, new Uint8Array(), bytes('empty key'))
      expect(store.get(0, odd)).toHaveLength(0)
      expect(get(0, '')).toBe('empty key')
      expect(store.scan(0, undefined, 10).map(({ key }) => [...key])).toEqual([[], [0, 0xff, 0x7f, 0x80]])
    })

    test('neither a buffer given nor one answered is shared', () => {
      const key = bytes('key')
      const record = Buffer.from('record')
      store.put(1, key, record)
      key.fill(0)
      record.fill(0)
      store.get(1, bytes('key'))!.fill(0)
      store.scan(1, undefined, 1)[0]!.record.fill(0)
      expect(scanned(1)).toEqual(['key=record'])
    })

    test('a scan pages through one partition in key order', () => {
      for (const key of ['b', 'a\xff', 'a', 'c', 'B']) put(256, key, key)
      put(255, 'z', '')
      put(257, '', '')
      expect(scanned(256, undefined, 2)).toEqual(['B=B', 'a=a'])
      expect(scanned(256, 'a', 2)).toEqual(['a\xff=a\xff', 'b=b'])
      expect(scanned(256, 'b')).toEqual(['c=c'])
      expect(scanned(256, 'c')).toEqual([])
      expect(scanned(256, 'aa', 1), 'after a key that is not there').toEqual(['a\xff=a\xff'])
    })

    test('a scan sees writes and removals since the last one', () => {
      put(1, 'a', '1')
      expect(scanned(1)).toEqual(['a=1'])
      put(1, 'b', '1')
      put(1, 'a', '2')
      expect(scanned(1)).toEqual(['a=2', 'b=1'])
      store.remove(1, bytes('a'))
      expect(scanned(1)).toEqual(['b=1'])
    })

    test('dropping a partition takes all of it and nothing else', () => {
      for (const partition of [0, 1, 2, 255, 256, 16_383])
        for (const key of ['', 'k', '\xff\xff']) put(partition, key, '')
      store.dropPartition(1)
      store.dropPartition(255)
      store.dropPartition(16_383)
      store.dropPartition(77)
      expect([0, 1, 2, 255, 256, 16_383].map((partition) => scanned(partition).length)).toEqual([3, 0, 3, 0, 3, 0])
      put(1, 'again', '1')
      expect(scanned(1)).toEqual(['again=1'])
    })

    test('a page of what can be read is one of a scan, as long as everything can', () => {
      for (const key of ['', 'a', 'b', 'c']) put(7, key, key)
      put(8, 'x', 'x')
      const first = store.scanReadable(7, undefined, 3)
      expect(first.records.map(({ record }) => text(record))).toEqual(['', 'a', 'b'])
      expect([text(first.upTo), first.damaged]).toEqual(['b', []])
      const second = store.scanReadable(7, first.upTo, 3)
      expect(second.records.map(({ key }) => text(key))).toEqual(['c'])
      expect(second.upTo).toBeUndefined()
    })

    test('a stretch is replaced in one ticket, and nothing beside it', () => {
      for (const key of ['', 'a', 'b', 'c', 'd']) put(7, key, 'old')
      put(6, 'c', 'old')
      put(8, 'a', 'old')
      const before = store.ticket
      const records = [{ key: bytes('b'), record: bytes('new') }]
      store.replaceStretch(7, { from: bytes('a'), to: bytes('c') }, records)
      expect(store.ticket).toBe(before + 1)
      expect(scanned(7)).toEqual(['=old', 'b=new', 'c=old', 'd=old'])
      store.replaceStretch(7, { from: bytes('c'), to: undefined }, [])
      store.replaceStretch(7, { from: bytes(''), to: bytes('\0') }, [])
      expect([scanned(6), scanned(7), scanned(8)]).toEqual([['c=old'], ['b=new'], ['a=old']])
    })

    test('metadata is apart from every partition', () => {
      store.putMeta('identity', bytes('me'))
      store.putMeta('hint/2', bytes('2'))
      store.putMeta('hint/10', bytes('10'))
      store.putMeta('hintless', bytes('x'))
      put(0, 'hint/1', 'a record')
      const hints = (after: string | undefined, limit: number) =>
        store.scanMeta('hint/', after, limit).map((entry) => `${entry.name}=${text(entry.bytes)}`)
      expect(hints(undefined, 10)).toEqual(['hint/10=10', 'hint/2=2'])
      expect(hints(undefined, 1)).toEqual(['hint/10=10'])
      expect(hints('hint/10', 10)).toEqual(['hint/2=2'])
      expect(hints('hint/2', 10)).toEqual([])
      expect(hints('a', 10), 'after a name before the prefix').toEqual(['hint/10=10', 'hint/2=2'])
      store.removeMeta('hint/10')
      expect([store.getMeta('hint/10'), text(store.getMeta('identity'))]).toEqual([undefined, 'me'])
      expect(scanned(0)).toEqual(['hint/1=a record'])
    })

    test('every write has a ticket, and becomes durable when asked', async () => {
      expect(store.durableTicket).toBeLessThanOrEqual(store.ticket)
      let before = store.ticket
      const rises = (write: () => void) => {
        write()
        expect(store.ticket).toBeGreaterThan(before)
        before = store.ticket
      }
      rises(() => put(1, 'a', '1'))
      rises(() => store.putMeta('name', bytes('1')))
      rises(() => store.remove(1, bytes('a')))
      rises(() => store.removeMeta('name'))
      rises(() => store.dropPartition(1))
      store.sync()
      await place.durable()
      expect(store.durableTicket).toBe(store.ticket)
    })

    test('removing what is not there takes no ticket', () => {
      const before = store.ticket
      store.remove(1, bytes('a'))
      store.removeMeta('name')
      expect(store.ticket).toBe(before)
    })
  })
}
