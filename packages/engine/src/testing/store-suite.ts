import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { compareBytes } from '../bytes.js'
import { type BatchOperation, type Entry, keyBytesMax, type ScanOptions, type Store, valueBytesMax } from '../store.js'
import { SeededRandom } from './seeded-random.js'

/** A place that keeps a store between opens; its memtables should be small (64 KiB), so that the suite flushes and compacts. */
export interface StorePlace {
  /** What was written survives `close`. */
  readonly persistent: boolean
  open(options: { clock: () => number }): Promise<Store>
  /** Removes it. */
  dispose(): void
}

const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const text = (value: Uint8Array | undefined) => value && Buffer.from(value).toString()
const numbered = (i: number) => bytes(`key ${String(i).padStart(6, '0')}`)
const texts = (entries: Iterable<Entry>) => [...entries].map(({ key, value }) => `${text(key)}=${text(value)}`)
const keysOf = (entries: Iterable<Entry>) => [...entries].map(({ key }) => text(key))

async function collect(entries: AsyncIterable<Entry>): Promise<Entry[]> {
  const all: Entry[] = []
  for await (const entry of entries) all.push(entry)
  return all
}

/** What every store must do, whatever is behind the port. */
export function storeSuite(name: string, makePlace: () => StorePlace): void {
  describe(`store suite: ${name}`, () => {
    let now: number
    let place: StorePlace
    let store: Store
    const open = () => place.open({ clock: () => now })
    const reopen = async () => {
      await store.close()
      store = await open()
    }
    const get = (key: string) => text(store.getSync(bytes(key)))
    const put = (key: string, value: string) => store.putSync(bytes(key), bytes(value))
    const remove = (key: string) => store.deleteSync(bytes(key))

    beforeEach(async () => {
      now = 1_000_000
      place = makePlace()
      store = await open()
    })
    afterEach(async () => {
      await store.close()
      place.dispose()
    })

    describe('one record', () => {
      test('what was put is read by every read, until it is overwritten or deleted', async () => {
        expect(get('a')).toBeUndefined()
        put('a', '1')
        expect(get('a')).toBe('1')
        await store.put(bytes('a'), bytes('2'))
        expect(text(await store.get(bytes('a')))).toBe('2')
        expect((await store.getMany([bytes('b'), bytes('a'), bytes('a')])).map(text)).toEqual([undefined, '2', '2'])
        expect(store.getEntry(bytes('a'))).toMatchObject({ sequence: 2, expiresAt: 0, tag: 0 })
        await store.delete(bytes('a'))
        expect(get('a')).toBeUndefined()
        expect(await store.get(bytes('a'))).toBeUndefined()
        expect(store.getEntry(bytes('a'))).toBeUndefined()
        expect(store.borrow(bytes('a'), 0, 1)).toBeUndefined()
        expect(keysOf(store.scan())).toEqual([])
      })

      test('the hot paths take slices of larger buffers', () => {
        const source = bytes('<key|value>')
        expect(store.putFrom(source, 1, 4, source, 5, 10, 0, 3)).toBe(1)
        const borrowed = store.borrow(bytes('?key?'), 1, 4)!
        expect(text(borrowed.bytes.subarray(borrowed.valueStart, borrowed.valueEnd))).toBe('value')
        expect(borrowed).toMatchObject({ sequence: 1, expiresAt: 0, tag: 3 })
        expect(store.deleteFrom(source, 1, 4)).toBe(2)
        expect(get('key')).toBeUndefined()
      })

      test('what is borrowed is whole before the next call, from memory and from tables', async () => {
        for (let i = 0; i < 500; i++) store.putSync(numbered(i), bytes(`value ${i}`.repeat(20)))
        for (const settle of [() => {}, () => store.flush(), () => store.compactRange()]) {
          await settle()
          for (let i = 0; i < 500; i += 7) {
            const key = numbered(i)
            const borrowed = store.borrow(key, 0, key.length)!
            expect(text(borrowed.bytes.subarray(borrowed.valueStart, borrowed.valueEnd))).toBe(`value ${i}`.repeat(20))
          }
        }
      })

      test('what is given or returned is nobody else’s memory', async () => {
        const key = bytes('key')
        const value = bytes('value')
        store.putSync(key, value)
        key.fill(0)
        value.fill(0)
        expect(get('key')).toBe('value')
        for (const settle of [() => {}, () => store.flush()]) {
          await settle()
          store.getSync(bytes('key'))!.fill(0)
          const entry = store.getEntry(bytes('key'))!
          entry.value.fill(0)
          entry.key.fill(0)
          for (const scanned of store.scan()) {
            scanned.value.fill(0)
            scanned.key.fill(0)
          }
          expect(get('key')).toBe('value')
          expect(texts(store.scan())).toEqual(['key=value'])
        }
      })

      test('empty values, and keys and values of any bytes', () => {
        for (let byte = 0; byte < 256; byte++) {
          store.putSync(Uint8Array.of(byte), Uint8Array.of(byte, 0, 255))
          store.putSync(Uint8Array.of(0, byte), new Uint8Array(0))
        }
        expect(store.getSync(Uint8Array.of(0, 7))).toHaveLength(0)
        for (let byte = 0; byte < 256; byte++)
          expect(Buffer.compare(store.getSync(Uint8Array.of(byte))!, Uint8Array.of(byte, 0, 255))).toBe(0)
        const keys = [...store.scan()].map(({ key }) => key)
        expect(keys).toHaveLength(512)
        for (let i = 1; i < keys.length; i++) expect(compareBytes(keys[i - 1]!, keys[i]!)).toBeLessThan(0)
      })

      test('keys that are prefixes of each other, to the longest', async () => {
        const lengths = [1, 2, 3, 4, 5, 7, 8, 9, 255, 256, 257, 4095, 4096, keyBytesMax - 1, keyBytesMax]
        for (const length of lengths) store.putSync(new Uint8Array(length).fill(0x61), bytes(String(length)))
        for (const settle of [() => {}, () => store.flush(), () => store.compactRange(), reopen]) {
          if (settle !== reopen || place.persistent) await settle()
          for (const length of lengths)
            expect(text(store.getSync(new Uint8Array(length).fill(0x61)))).toBe(String(length))
          expect(store.getSync(new Uint8Array(6).fill(0x61))).toBeUndefined()
          expect([...store.scan()].map(({ key }) => key.length)).toEqual(lengths)
          expect([...store.scan({ reverse: true })].map(({ key }) => key.length)).toEqual(lengths.toReversed())
        }
      })

      test('values far larger than a memtable', async () => {
        const sizes = [65_535, 65_536, 65_537, 3 << 20]
        const random = new SeededRandom(1)
        const values = sizes.map(
          (size) =>
            new Uint8Array(
              Uint32Array.from({ length: Math.ceil(size / 4) }, () => random.below(2 ** 32)).buffer,
              0,
              size,
            ),
        )
        for (const [i, value] of values.entries()) store.putSync(numbered(i), value)
        for (const settle of [() => {}, () => store.flush(), () => store.compactRange(), reopen]) {
          if (settle !== reopen || place.persistent) await settle()
          for (const [i, value] of values.entries())
            expect(Buffer.compare(store.getSync(numbered(i))!, value), `${value.length} bytes`).toBe(0)
        }
      })

      test('tags', async () => {
        for (let tag = 0; tag <= 15; tag++)
          store.putSync(numbered(tag), bytes(''), { tag, expiresAt: tag % 2 ? now + 1 : 0 })
        for (const settle of [() => {}, () => store.flush(), () => store.compactRange()]) {
          await settle()
          for (let tag = 0; tag <= 15; tag++) expect(store.getEntry(numbered(tag))?.tag).toBe(tag)
          expect([...store.scan()].map(({ tag }) => tag)).toEqual(Array.from({ length: 16 }, (_, tag) => tag))
        }
      })
    })

    describe('a caller’s mistakes', () => {
      const key = bytes('k')
      const value = bytes('v')
      test.each<[string, () => unknown, typeof TypeError | typeof RangeError]>([
        ['a text as a key', () => store.getSync('k' as never), TypeError],
        ['a text as a key to put', () => store.putSync('k' as never, value), TypeError],
        ['a text as a key to delete', () => store.deleteSync('k' as never), TypeError],
        ['no key', () => store.getEntry(undefined as never), TypeError],
        ['a text as a value', () => store.putSync(key, 'v' as never), TypeError],
        ['an empty key to get', () => store.getSync(new Uint8Array(0)), RangeError],
        ['an empty key to put', () => store.putSync(new Uint8Array(0), value), RangeError],
        ['an empty key to delete', () => store.deleteSync(new Uint8Array(0)), RangeError],
        ['an empty slice as a key', () => store.borrow(key, 1, 1), RangeError],
        ['a key too long to get', () => store.getSync(new Uint8Array(keyBytesMax + 1)), RangeError],
        ['a key too long to put', () => store.putSync(new Uint8Array(keyBytesMax + 1), value), RangeError],
        ['a value too long', () => store.putFrom(key, 0, 1, value, 0, valueBytesMax + 1, 0, 0), RangeError],
        ['a tag too large', () => store.putSync(key, value, { tag: 16 }), RangeError],
        ['a negative tag', () => store.putSync(key, value, { tag: -1 }), RangeError],
        ['a fractional tag', () => store.putSync(key, value, { tag: 1.5 }), RangeError],
        ['a negative expiry', () => store.putSync(key, value, { expiresAt: -1 }), RangeError],
        ['a fractional expiry', () => store.putSync(key, value, { expiresAt: 1.5 }), RangeError],
        ['an expiry that is no number', () => store.putSync(key, value, { expiresAt: Number.NaN }), RangeError],
        ['a text as a bound', () => store.scan({ gte: 'a' as never }), TypeError],
        ['a text as a prefix', () => store.scan({ prefix: 'a' as never }), TypeError],
        ['a negative limit', () => store.scan({ limit: -1 }), RangeError],
        ['a limit that is no number', () => store.scan({ limit: Number.NaN }), RangeError],
      ])('%s', (_name, mistake, type) => {
        expect(mistake).toThrow(type)
        expect([store.stats().sequence, keysOf(store.scan())]).toEqual([0, []])
      })

      test('in a batch: nothing of it happens', async () => {
        const bad: BatchOperation[] = [
          { type: 'delete', key: new Uint8Array(0) },
          { type: 'put', key, value: 'v' as never },
          { type: 'put', key, value, tag: 16 },
          { type: 'neither', key } as never,
        ]
        for (const operation of bad) {
          const batch: BatchOperation[] = [{ type: 'put', key: bytes('a'), value }, operation]
          expect(() => store.writeSync(batch)).toThrow()
          await expect(store.write(batch)).rejects.toThrow()
          expect(get('a')).toBeUndefined()
        }
        expect(store.stats().sequence).toBe(0)
      })
    })

    describe('expiry', () => {
      const cases = [
        ['in memory', async () => {}],
        ['in a table', () => store.flush()],
        ['compacted', () => store.compactRange()],
      ] as const
      test.each(cases)('a record is gone from its moment on: %s', async (_name, settle) => {
        store.putSync(bytes('a'), bytes('1'), { expiresAt: now + 10 })
        store.putSync(bytes('b'), bytes('2'), { expiresAt: now + 20 })
        put('c', '3')
        await settle()
        const expectKeys = async (...keys: string[]) => {
          expect(keysOf(store.scan())).toEqual(keys)
          expect(keysOf(store.scan({ reverse: true }))).toEqual(keys.toReversed())
          for (const key of ['a', 'b', 'c']) {
            expect(get(key) !== undefined).toBe(keys.includes(key))
            expect(store.borrow(bytes(key), 0, 1) !== undefined).toBe(keys.includes(key))
          }
          const found = await store.getMany(['a', 'b', 'c'].map(bytes))
          expect(found.filter((value) => value !== undefined)).toHaveLength(keys.length)
        }
        await expectKeys('a', 'b', 'c')
        expect(store.getEntry(bytes('a'))?.expiresAt).toBe(now + 10)
        now += 9
        await expectKeys('a', 'b', 'c')
        now += 1
        await expectKeys('b', 'c')
        now += 10
        await expectKeys('c')
        await store.compactRange()
        await expectKeys('c')
      })

      test.each(cases)('what it had replaced does not come back: %s', async (_name, settle) => {
        put('a', 'old')
        await settle()
        store.putSync(bytes('a'), bytes('new'), { expiresAt: now + 1 })
        await settle()
        now += 1
        expect(get('a')).toBeUndefined()
        await settle()
        await store.compactRange()
        expect(get('a')).toBeUndefined()
        expect(keysOf(store.scan())).toEqual([])
      })

      test('written again without expiry, it stays', () => {
        store.putSync(bytes('a'), bytes('1'), { expiresAt: now + 1 })
        put('a', '2')
        now += 1000
        expect(store.getEntry(bytes('a'))).toMatchObject({ expiresAt: 0 })
        store.putSync(bytes('a'), bytes('3'), { expiresAt: now })
        expect(get('a')).toBeUndefined()
      })
    })

    describe('sequences', () => {
      test('are consecutive over all writes, and kept with the records', async () => {
        expect(store.stats().sequence).toBe(0)
        expect(put('a', '1')).toBe(1)
        expect(remove('nothing')).toBe(2)
        expect(await store.put(bytes('b'), bytes('2'))).toBe(3)
        expect(await store.delete(bytes('a'))).toBe(4)
        const batch: BatchOperation[] = [
          { type: 'put', key: bytes('c'), value: bytes('3') },
          { type: 'put', key: bytes('d'), value: bytes('4') },
        ]
        expect(store.writeSync(batch)).toBe(6)
        expect(await store.write(batch)).toBe(8)
        expect(store.writeSync([])).toBe(8)
        await store.flush()
        expect([...store.scan()].map(({ sequence }) => sequence)).toEqual([3, 7, 8])
        await store.clear()
        expect(put('a', '1')).toBe(9)
      })

      test('go on where they were, after a reopen', async () => {
        if (!place.persistent) return
        for (let i = 0; i < 10; i++) put('a', String(i))
        await reopen()
        expect(store.stats().sequence).toBe(10)
        expect(store.getEntry(bytes('a'))?.sequence).toBe(10)
        expect(remove('a')).toBe(11)
        await store.compactRange()
        await reopen()
        expect(put('a', 'x')).toBe(12)
        await store.clear()
        await reopen()
        expect(put('a', 'x')).toBe(13)
      })
    })

    describe('atomic', () => {
      test('returns what the function returns, and it reads its own writes', () => {
        put('a', '0')
        const result = store.atomic(() => {
          put('a', '1')
          put('b', '2')
          expect(get('a')).toBe('1')
          remove('a')
          expect(get('a')).toBeUndefined()
          expect(texts(store.scan())).toEqual(['b=2'])
          return 'done'
        })
        expect(result).toBe('done')
        expect(texts(store.scan())).toEqual(['b=2'])
        expect(store.stats().sequence).toBe(4)
      })

      test('a throw takes everything back', async () => {
        for (let i = 0; i < 100; i++) store.putSync(numbered(i), bytes(`old ${i}`))
        await store.flush()
        for (let i = 50; i < 150; i++) store.putSync(numbered(i), bytes(`older ${i}`))
        const before = texts(store.scan())
        const { sequence } = store.stats()
        const attempt = () =>
          store.atomic(() => {
            for (let i = 0; i < 200; i++) store.putSync(numbered(i), bytes(`new ${i}`))
            for (let i = 0; i < 200; i += 3) store.deleteSync(numbered(i))
            throw new Error('changed my mind')
          })
        for (let round = 0; round < 3; round++) {
          expect(attempt).toThrow('changed my mind')
          expect(texts(store.scan())).toEqual(before)
          expect(store.stats().sequence).toBe(sequence)
          for (let i = 0; i < 200; i++)
            expect(text(store.getSync(numbered(i)))).toBe(i < 50 ? `old ${i}` : i < 150 ? `older ${i}` : undefined)
        }
        expect(put('after', '1')).toBe(sequence + 1)
        if (place.persistent) await reopen()
        expect(texts(store.scan())).toEqual(['after=1', ...before])
      })

      test('an inner one joins the outer one; one that throws takes only its own writes back', () => {
        put('a', '0')
        store.atomic(() => {
          put('a', '1')
          store.atomic(() => put('b', '1'))
          expect(() =>
            store.atomic(() => {
              put('a', '2')
              put('c', '2')
              throw new Error('inner')
            }),
          ).toThrow('inner')
          expect(() =>
            store.writeSync([
              { type: 'put', key: bytes('d'), value: bytes('3') },
              { type: 'delete', key: new Uint8Array(0) },
            ]),
          ).toThrow(RangeError)
          expect(texts(store.scan())).toEqual(['a=1', 'b=1'])
          put('e', '4')
        })
        expect(texts(store.scan())).toEqual(['a=1', 'b=1', 'e=4'])
        expect(store.stats().sequence).toBe(4)
        expect(() =>
          store.atomic(() => {
            store.atomic(() => put('a', '5'))
            throw new Error('outer')
          }),
        ).toThrow('outer')
        expect(texts(store.scan())).toEqual(['a=1', 'b=1', 'e=4'])
      })

      test('far larger than a memtable, taken back and kept', async () => {
        const large = (round: number) => {
          for (let i = 0; i < 1500; i++) store.putSync(numbered(i), bytes(`${round} `.repeat(50)))
        }
        put('before', '1')
        expect(() =>
          store.atomic(() => {
            large(0)
            throw new Error('too much')
          }),
        ).toThrow('too much')
        expect(texts(store.scan())).toEqual(['before=1'])
        store.atomic(() => {
          large(1)
          expect(() =>
            store.atomic(() => {
              large(2)
              throw new Error('inner')
            }),
          ).toThrow('inner')
          put('inside', '2')
        })
        const check = () => {
          expect(store.stats().sequence).toBe(1502)
          expect(get('inside')).toBe('2')
          expect(get('before')).toBe('1')
          for (let i = 0; i < 1500; i++) expect(text(store.getSync(numbered(i)))).toBe('1 '.repeat(50))
        }
        check()
        if (place.persistent) await reopen()
        check()
      })

      test('is synchronous: a promise is a mistake, and maintenance has to wait', async () => {
        expect(() => store.atomic(async () => put('a', '1'))).toThrow(TypeError)
        expect(get('a')).toBeUndefined()
        const inside: Promise<unknown>[] = []
        store.atomic(() => {
          put('b', '1')
          inside.push(store.put(bytes('c'), bytes('2')))
          for (const call of [() => store.flush(), () => store.clear(), () => store.compactRange()])
            inside.push(expect(call()).rejects.toThrow(TypeError))
        })
        await Promise.all(inside)
        expect(texts(store.scan())).toEqual(['b=1', 'c=2'])
        if (place.persistent) await reopen()
        expect(texts(store.scan())).toEqual(['b=1', 'c=2'])
      })

      test('a scan that outlives it, and what was taken back under it', () => {
        put('a', '0')
        const scans: Iterator<Entry>[] = []
        expect(() =>
          store.atomic(() => {
            for (let i = 0; i < 50; i++) store.putSync(numbered(i), bytes(`inside ${i}`))
            scans.push(store.scan()[Symbol.iterator](), store.scan({ reverse: true })[Symbol.iterator]())
            throw new Error('no')
          }),
        ).toThrow('no')
        for (let i = 0; i < 200; i++) store.putSync(numbered(i), bytes(`after ${i}`.repeat(10)))
        const inside = ['a=0', ...Array.from({ length: 50 }, (_, i) => `key ${String(i).padStart(6, '0')}=inside ${i}`)]
        const rest = (iterator: Iterator<Entry>) => texts({ [Symbol.iterator]: () => iterator })
        expect(rest(scans[0]!)).toEqual(inside)
        expect(rest(scans[1]!)).toEqual(inside.toReversed())
      })
    })

    describe('batches', () => {
      test('of several memtables are one', async () => {
        const batch: BatchOperation[] = Array.from({ length: 4000 }, (_, i) =>
          i % 5 === 4
            ? { type: 'delete', key: numbered(i - 1) }
            : {
                type: 'put',
                key: numbered(i),
                value: bytes(`value ${i} `.repeat(10)),
                tag: i % 16,
                expiresAt: now + i,
              },
        )
        expect(await store.write(batch)).toBe(4000)
        const check = () => {
          expect([...store.scan()]).toHaveLength(2399)
          expect(store.getEntry(numbered(1002))).toMatchObject({ sequence: 1003, tag: 10, expiresAt: now + 1002 })
          expect(store.getSync(numbered(1003))).toBeUndefined()
        }
        check()
        if (place.persistent) await reopen()
        check()
      })

      test('the last operation on a key counts', () => {
        const key = bytes('a')
        store.writeSync([
          { type: 'put', key, value: bytes('1') },
          { type: 'delete', key },
          { type: 'put', key, value: bytes('2') },
        ])
        expect(get('a')).toBe('2')
        store.writeSync([
          { type: 'put', key, value: bytes('3') },
          { type: 'delete', key },
        ])
        expect(get('a')).toBeUndefined()
      })
    })

    describe('scans', () => {
      // Over tables at several levels, tables in level 0 and the memtable, with overwritten, deleted and expired records.
      const fill = async () => {
        const model = new Map<string, string>()
        const random = new SeededRandom(7)
        for (let i = 0; i < 3000; i++) {
          const key = `${'abc'[random.below(3)]}${random.below(60)}`
          if (random.chance(0.2)) {
            remove(key)
            model.delete(key)
          } else if (random.chance(0.1)) {
            store.putSync(bytes(key), bytes('gone'), { expiresAt: now })
            model.delete(key)
          } else {
            put(key, String(i))
            model.set(key, String(i))
          }
          if (i === 1000) await store.compactRange()
          if (i % 500 === 499 && i < 2900) await store.flush()
        }
        return [...model].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => ({ key, value }))
      }

      test('every combination of bounds, prefix, direction and limit, both ways of iterating', async () => {
        const model = await fill()
        const bounds = [undefined, 'a', 'a3', 'b', 'b25', 'b255', 'c9', 'd']
        const prefixes = [undefined, '', 'b', 'b2', 'zz']
        const random = new SeededRandom(3)
        const pick = <T>(choices: readonly T[]) => choices[random.below(choices.length)]!
        for (let round = 0; round < 300; round++) {
          const picked = {
            gt: round % 2 ? pick(bounds) : undefined,
            gte: round % 3 ? pick(bounds) : undefined,
            lt: round % 5 ? pick(bounds) : undefined,
            lte: round % 7 ? undefined : pick(bounds),
            prefix: pick(prefixes),
          }
          const reverse = random.chance(0.5)
          const limit = pick([undefined, 0, 1, 7, 1000])
          const expected = model.filter(
            ({ key }) =>
              (picked.gt === undefined || key > picked.gt) &&
              (picked.gte === undefined || key >= picked.gte) &&
              (picked.lt === undefined || key < picked.lt) &&
              (picked.lte === undefined || key <= picked.lte) &&
              key.startsWith(picked.prefix ?? ''),
          )
          if (reverse) expected.reverse()
          const options: ScanOptions = { reverse }
          if (limit !== undefined) options.limit = limit
          for (const [name, bound] of Object.entries(picked))
            if (bound !== undefined) options[name as keyof typeof picked] = bytes(bound)
          const wanted = expected.slice(0, limit).map(({ key, value }) => `${key}=${value}`)
          const label = JSON.stringify({ ...picked, reverse, limit })
          expect(texts(store.scan(options)), label).toEqual(wanted)
          if (round % 8 === 0) expect(texts(await collect(store.scan(options))), label).toEqual(wanted)
          if (round % 8 === 1) {
            const entries = [...store.scan({ ...options, keysOnly: true })]
            expect(texts(entries), label).toEqual(wanted.map((entry) => `${entry.split('=')[0]}=`))
          }
        }
      })

      test('bounds beyond all keys, of the largest bytes', () => {
        for (const key of [[0], [0, 0], [254], [255], [255, 255], [255, 255, 0]])
          store.putSync(Uint8Array.from(key), bytes(''))
        const found = (options: ScanOptions) => [...store.scan(options)].map(({ key }) => [...key])
        expect(found({ prefix: Uint8Array.of(255) })).toEqual([[255], [255, 255], [255, 255, 0]])
        expect(found({ prefix: Uint8Array.of(255, 255), reverse: true })).toEqual([
          [255, 255, 0],
          [255, 255],
        ])
        expect(found({ gt: Uint8Array.of(0) })[0]).toEqual([0, 0])
        expect(found({ lt: Uint8Array.of(0, 0) })).toEqual([[0]])
        expect(found({ gt: Uint8Array.of(255, 255, 0) })).toEqual([])
        expect(found({ gte: Uint8Array.of(254), lt: Uint8Array.of(1) })).toEqual([])
      })

      test.each(['forward', 'reverse'])('see one moment, whatever happens meanwhile: %s', async (direction) => {
        const reverse = direction === 'reverse'
        const model = (await fill()).map(({ key, value }) => `${key}=${value}`)
        if (reverse) model.reverse()
        const scans = Array.from({ length: 4 }, () => store.scan({ reverse })[Symbol.iterator]())
        const found: string[][] = scans.map(() => [])
        const advance = () => {
          for (const [i, scan] of scans.entries()) {
            for (let step = 0; step < 20; step++) {
              const { value, done } = scan.next()
              if (!done) found[i]!.push(`${text(value.key)}=${text(value.value)}`)
            }
          }
        }
        // One has begun, the others have not.
        found[0]!.push(...texts([scans[0]!.next().value as Entry]))
        for (let i = 0; i < 60; i++) put(`a${i}`, 'changed')
        for (let i = 0; i < 60; i++) remove(`b${i}`)
        for (let i = 0; i < 2000; i++) store.putSync(numbered(i), bytes('x'.repeat(100)))
        advance()
        await store.flush()
        advance()
        await store.compactRange()
        advance()
        store.atomic(() => put('b1', 'atomic'))
        await store.clear()
        put('b2', 'after')
        for (let i = 0; i < 20; i++) advance()
        for (const entries of found) expect(entries).toEqual(model)
        expect(texts(store.scan())).toEqual(['b2=after'])
      })

      test('an early end releases what it held, and ends it', async () => {
        await fill()
        for (const _ of store.scan()) break
        for await (const _ of store.scan()) break
        expect(() => {
          for (const _ of store.scan()) throw new Error('stop')
        }).toThrow('stop')
        const iterator = store.scan()[Symbol.iterator]()
        iterator.next()
        iterator.return?.()
        expect(iterator.next().done).toBe(true)
        const whole = store.scan({ limit: 1 })[Symbol.iterator]()
        whole.next()
        expect([whole.next().done, whole.next().done]).toEqual([true, true])
      })

      test('asynchronous ones let other work happen', async () => {
        for (let i = 0; i < 2000; i++) store.putSync(numbered(i), bytes(''))
        let turns = 0
        let counting = true
        const count = () => {
          turns++
          if (counting) setImmediate(count)
        }
        setImmediate(count)
        expect(await collect(store.scan())).toHaveLength(2000)
        counting = false
        if (place.persistent) expect(turns).toBeGreaterThan(2)
      })
    })

    describe('maintenance', () => {
      test('clear removes everything at once, and again, with flushes under way', async () => {
        await store.clear()
        for (let round = 0; round < 3; round++) {
          for (let i = 0; i < 3000; i++) store.putSync(numbered(i), bytes('x'.repeat(100)))
          const flushed = store.flush()
          const cleared = store.clear()
          expect(keysOf(store.scan())).toEqual([])
          expect(store.getSync(numbered(1))).toBeUndefined()
          put('kept', String(round))
          await Promise.all([flushed, cleared])
          expect(texts(store.scan())).toEqual([`kept=${round}`])
        }
        await store.compactRange()
        if (place.persistent) await reopen()
        expect(texts(store.scan())).toEqual(['kept=2'])
      })

      test('space comes back after deletes and compaction', async () => {
        for (let i = 0; i < 5000; i++) store.putSync(numbered(i), bytes(`${i} `.repeat(30)))
        await store.compactRange()
        const full = store.stats()
        for (let i = 0; i < 5000; i++) store.deleteSync(numbered(i))
        expect(keysOf(store.scan())).toEqual([])
        await store.compactRange()
        const empty = store.stats()
        expect(empty.keysEstimate).toBe(0)
        if (place.persistent) expect(empty.diskBytes).toBeLessThan(full.diskBytes / 2)
        expect(keysOf(store.scan())).toEqual([])
      })

      test('compactRange of a part keeps the rest', async () => {
        for (let i = 0; i < 3000; i++) store.putSync(numbered(i % 1000), bytes(`value ${i} `.repeat(5)))
        for (let i = 0; i < 1000; i += 2) store.deleteSync(numbered(i))
        const before = texts(store.scan())
        await store.compactRange({ gte: numbered(200), lt: numbered(400) })
        expect(texts(store.scan())).toEqual(before)
        await store.compactRange({ gte: numbered(990) })
        await store.compactRange({ lt: numbered(1) })
        expect(texts(store.scan())).toEqual(before)
        await store.compactRange({ gte: bytes('zzz') })
        expect(texts(store.scan())).toEqual(before)
      })

      test('many calls at once', async () => {
        for (let i = 0; i < 2000; i++) store.putSync(numbered(i), bytes(`value ${i} `.repeat(5)))
        const before = texts(store.scan())
        const calls: Promise<unknown>[] = [
          store.flush(),
          store.compactRange(),
          store.flush(),
          store.compactRange(),
          store.verify(),
        ]
        for (let i = 0; i < 100; i++) calls.push(store.put(numbered(i), store.getSync(numbered(i))!))
        await Promise.all(calls)
        expect(texts(store.scan())).toEqual(before)
      })

      test('verify finds nothing wrong', async () => {
        for (let i = 0; i < 2000; i++) store.putSync(numbered(i), bytes(`value ${i} `.repeat(5)))
        await store.flush()
        put('a', '1')
        const report = await store.verify()
        expect(report.errors).toEqual([])
        expect(report.records).toBe(2001)
      })

      test('stats are numbers', async () => {
        for (let i = 0; i < 2000; i++) store.putSync(numbered(i), bytes(`value ${i} `.repeat(5)))
        await store.flush()
        const stats = store.stats()
        expect(stats).toMatchObject({ sequence: 2000, readOnlyReason: undefined })
        expect(stats.keysEstimate).toBe(2000)
        const figures = [stats.diskBytes, stats.memoryBytes, ...Object.values(stats.details)]
        for (const figure of figures) expect(Number.isFinite(figure) && figure >= 0).toBe(true)
      })
    })

    describe('closing', () => {
      test('keeps everything', async () => {
        if (!place.persistent) return
        for (let round = 0; round < 4; round++) {
          for (let i = 0; i < 700; i++) store.putSync(numbered(i * (round + 1)), bytes(`round ${round}, ${i}`))
          store.putSync(bytes('tagged'), bytes('t'), { tag: 5, expiresAt: now + 1000 })
          const before = [...store.scan()]
          await reopen()
          expect([...store.scan()]).toEqual(before)
          await reopen()
          expect([...store.scan()]).toEqual(before)
        }
        now += 1000
        expect(get('tagged')).toBeUndefined()
      })

      test('twice, and twice at once, is once', async () => {
        put('a', '1')
        await Promise.all([store.close(), store.close()])
        await store.close()
        await store[Symbol.asyncDispose]()
        store = await open()
        if (place.persistent) expect(get('a')).toBe('1')
      })

      test('everything after it is refused', async () => {
        put('a', '1')
        await store.close()
        const key = bytes('a')
        const closed = expect.objectContaining({ code: 'CASKADE_CLOSED' })
        const now: (() => unknown)[] = [
          () => store.getSync(key),
          () => store.getEntry(key),
          () => store.borrow(key, 0, 1),
          () => store.putSync(key, key),
          () => store.putFrom(key, 0, 1, key, 0, 1, 0, 0),
          () => store.deleteSync(key),
          () => store.deleteFrom(key, 0, 1),
          () => store.writeSync([{ type: 'delete', key }]),
          () => store.writeSync([]),
          () => store.atomic(() => {}),
          () => store.scan(),
        ]
        for (const call of now) expect(call, String(call)).toThrow(closed)
        const later: (() => Promise<unknown>)[] = [
          () => store.get(key),
          () => store.getMany([key]),
          () => store.put(key, key),
          () => store.delete(key),
          () => store.write([]),
          () => store.clear(),
          () => store.sync(),
          () => store.flush(),
          () => store.compactRange(),
          () => store.verify(),
        ]
        for (const call of later) await expect(call(), String(call)).rejects.toEqual(closed)
      })

      test('a scan under way ends or goes on, but gives nothing wrong', async () => {
        for (let i = 0; i < 1000; i++) store.putSync(numbered(i), bytes(`value ${i}`))
        await store.flush()
        const before = texts(store.scan())
        const iterator = store.scan()[Symbol.iterator]()
        const found = [iterator.next().value as Entry]
        await store.close()
        try {
          for (let step = iterator.next(); !step.done; step = iterator.next()) found.push(step.value)
        } catch (error) {
          expect(error).toMatchObject({ code: 'CASKADE_CLOSED' })
        }
        expect(texts(found)).toEqual(before.slice(0, found.length))
      })

      test('syncs under way end first', async () => {
        const order: string[] = []
        put('a', '1')
        const synced = store.sync().then(() => order.push('synced'))
        put('b', '2')
        const syncedAgain = store.sync().then(() => order.push('synced again'))
        await store.close().then(() => order.push('closed'))
        await Promise.all([synced, syncedAgain])
        expect(order).toEqual(['synced', 'synced again', 'closed'])
      })

      test('writes awaited when it begins are kept', async () => {
        if (!place.persistent) return
        const writes = Array.from({ length: 200 }, (_, i) => store.put(numbered(i), bytes(String(i))))
        await store.close()
        await Promise.all(writes)
        store = await open()
        expect([...store.scan()]).toHaveLength(200)
      })
    })
  })
}
