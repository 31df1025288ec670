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
      const keys = store.scan(0, undefined, 10).map(({ key }) => [...key])
      expect(keys.toSorted((a, b) => a.length - b.length)).toEqual([[], [0, 0xff, 0x7f, 0x80]])
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

    test('a scan pages through one partition, in an order that never changes', () => {
      const keys = ['', 'B', 'a', 'aa', 'a\xff', '{a}', 'a}', ...Array.from({ length: 100 }, (_, i) => `key${i}`)]
      for (const key of keys.toSorted()) put(256, key, key)
      for (const neighbour of [255, 257]) for (const key of keys) put(neighbour, key, '')
      const all = store.scan(256, undefined, 1000).map(({ key }) => Buffer.from(key).toString())
      expect(all.toSorted()).toEqual(keys.toSorted())
      for (const limit of [1, 3, 50, 107, 108]) {
        const paged: string[] = []
        for (let after: Uint8Array | undefined; ; ) {
          const page = store.scan(256, after, limit)
          expect(page.length).toBeLessThanOrEqual(limit)
          paged.push(...page.map(({ key }) => text(key)!))
          if (page.length < limit) break
          after = page.at(-1)!.key
        }
        expect(paged, `pages of ${limit}`).toEqual(all)
      }
      for (let i = 1; i < all.length; i++) {
        expect(store.compareKeys(256, bytes(all[i - 1]!), bytes(all[i]!))).toBeLessThan(0)
        expect(store.compareKeys(256, bytes(all[i]!), bytes(all[i - 1]!))).toBeGreaterThan(0)
      }
      expect(store.compareKeys(256, bytes('a'), bytes('a'))).toBe(0)
      // Behind keys that are not there any more, or never were.
      for (const key of all.filter((_, i) => i % 3 === 0)) store.remove(256, bytes(key))
      for (const after of [...all, 'never', 'ab', '\xff']) {
        const rest = all.filter((key, i) => i % 3 !== 0 && store.compareKeys(256, bytes(key), bytes(after)) > 0)
        expect(scanned(256, after).map((each) => each.split('=')[0])).toEqual(rest)
      }
    })

    test('a scan sees writes and removals since the last one', () => {
      put(1, 'a', '1')
      expect(scanned(1)).toEqual(['a=1'])
      put(1, 'b', '1')
      put(1, 'a', '2')
      expect(scanned(1).toSorted()).toEqual(['a=2', 'b=1'])
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
      const all = store.scan(7, undefined, 10).map(({ key }) => text(key)!)
      const first = store.scanReadable(7, undefined, 3)
      expect(first.records.map(({ record }) => text(record))).toEqual(all.slice(0, 3))
      expect([text(first.upTo), first.damaged]).toEqual([all[2], []])
      const second = store.scanReadable(7, first.upTo, 3)
      expect(second.records.map(({ key }) => text(key))).toEqual(all.slice(3))
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
      expect(scanned(7).toSorted()).toEqual(['=old', 'b=new', 'c=old', 'd=old'])
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
