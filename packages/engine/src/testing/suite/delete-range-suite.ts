import { describe, expect, test } from 'vitest'
import { type KeyRange, keyBytesMax } from '../../store.js'
import { SeededRandom } from '../seeded-random.js'
import { bytes, dataBytes, keysOf, numbered, type SuiteStore, text, texts } from './suite-store.js'

export function deleteRangeSuite(use: SuiteStore): void {
  const { get, put, remove, reopen } = use

  const settles: [string, () => Promise<void>][] = [
    ['in memory', async () => {}],
    ['in tables', () => use.store.flush()],
    ['compacted', () => use.store.compactRange()],
    ['reopened', () => (use.place.persistent ? reopen() : Promise.resolve())],
  ]

  describe('deleteRange', () => {
    test.each(settles)('removes what is there, and nothing that comes later: %s', async (_name, settle) => {
      for (const key of ['a', 'b', 'c', 'd', 'e']) put(key, '1')
      await settle()
      const before = use.store.stats().sequence
      expect(await use.store.deleteRange({ gte: bytes('b'), lt: bytes('e') })).toBeGreaterThan(before)
      const check = async () => {
        expect(texts(use.store.scan())).toEqual(['a=1', 'c=2', 'e=1'])
        expect(texts(use.store.scan({ reverse: true }))).toEqual(['e=1', 'c=2', 'a=1'])
        expect(['a', 'b', 'c', 'd', 'e'].map(get)).toEqual(['1', undefined, '2', undefined, '1'])
        expect((await use.store.getMany(['b', 'c'].map(bytes))).map(text)).toEqual([undefined, '2'])
        expect(use.store.borrow(bytes('d'), 0, 1)).toBeUndefined()
        expect(use.store.getEntry(bytes('d'))).toBeUndefined()
      }
      put('c', '2')
      await check()
      await settle()
      await check()
      await use.store.compactRange()
      await check()
      await settle()
      await check()
    })

    test('of every shape, again and again, as in the model', async () => {
      const random = new SeededRandom(4)
      const model = new Map<string, string>()
      const key = () => `${'abc'[random.below(3)]}${random.below(30)}`
      for (let i = 0; i < 3000; i++) {
        if (random.chance(0.05)) {
          const [low, high] = [key(), key()].sort() as [string, string]
          const shape = random.below(5)
          const range: KeyRange = [
            { gte: bytes(low), lt: bytes(high) },
            { gt: bytes(low), lte: bytes(high) },
            { prefix: bytes(low) },
            { gte: bytes(high) },
            { lt: bytes(low) },
          ][shape]!
          const inRange = [
            (each: string) => each >= low && each < high,
            (each: string) => each > low && each <= high,
            (each: string) => each.startsWith(low),
            (each: string) => each >= high,
            (each: string) => each < low,
          ][shape]!
          use.store.deleteRangeSync(range)
          for (const each of [...model.keys()].filter(inRange)) model.delete(each)
        } else if (random.chance(0.1)) {
          const each = key()
          remove(each)
          model.delete(each)
        } else {
          const each = key()
          put(each, `${i} `.repeat(10))
          model.set(each, `${i} `.repeat(10))
        }
        if (i % 400 === 399) await use.store.flush()
        if (i % 1100 === 1099) await use.store.compactRange()
        if (i % 1300 === 1299 && use.place.persistent) await reopen()
        if (i % 200 !== 199) continue
        const expected = [...model].sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => `${k}=${v}`)
        expect(texts(use.store.scan())).toEqual(expected)
        expect(texts(use.store.scan({ reverse: true }))).toEqual(expected.toReversed())
        for (let n = 0; n < 30; n++) expect(get(`b${n}`)).toBe(model.get(`b${n}`))
      }
    })

    test('is one write', () => {
      for (const key of ['a', 'b', 'c']) put(key, '1')
      const { sequence } = use.store.stats()
      const deleted = use.store.deleteRangeSync({ gte: bytes('b') })
      if (use.store.capabilities.ordered) expect(deleted).toBe(sequence + 1)
      expect(use.store.stats().sequence).toBe(deleted)
      expect(put('d', '1')).toBe(deleted + 1)
    })

    test('without bounds removes everything; with bounds that admit no key, nothing', () => {
      for (const key of ['a', 'b', 'c']) put(key, '1')
      for (const range of [
        { gte: bytes('b'), lt: bytes('b') },
        { gt: bytes('c'), lt: bytes('a') },
        { lt: new Uint8Array(0) },
        { prefix: bytes('b'), gte: bytes('c') },
      ])
        expect(use.store.deleteRangeSync(range)).toBe(3)
      expect(keysOf(use.store.scan())).toEqual(['a', 'b', 'c'])
      use.store.deleteRangeSync({})
      expect(keysOf(use.store.scan())).toEqual([])
    })

    test('at the ends of all keys', () => {
      const keys = [Uint8Array.of(0), Uint8Array.of(0, 0), Uint8Array.of(255), new Uint8Array(keyBytesMax).fill(255)]
      const left = () => [...use.store.scan({ keysOnly: true })].map(({ key }) => key.length)
      for (const key of keys) use.store.putSync(key, bytes(''))
      use.store.deleteRangeSync({ gt: keys[3]! })
      use.store.deleteRangeSync({ lt: keys[0]! })
      expect(left()).toEqual([1, 2, 1, keyBytesMax])
      use.store.deleteRangeSync({ gt: keys[2]! })
      expect(left()).toEqual([1, 2, 1])
      use.store.deleteRangeSync({ lte: keys[0]! })
      expect(left()).toEqual([2, 1])
    })

    test('in an atomic batch: in order with the others, and taken back with them', async () => {
      for (const key of ['a', 'b', 'c']) put(key, '1')
      use.store.atomic(() => {
        put('b', '2')
        use.store.deleteRangeSync({ gte: bytes('b') })
        expect(keysOf(use.store.scan())).toEqual(['a'])
        put('c', '3')
        expect(texts(use.store.scan())).toEqual(['a=1', 'c=3'])
      })
      const { sequence } = use.store.stats()
      expect(() =>
        use.store.atomic(() => {
          use.store.deleteRangeSync({})
          expect(keysOf(use.store.scan())).toEqual([])
          put('z', '1')
          throw new Error('stop')
        }),
      ).toThrow('stop')
      use.store.atomic(() => {
        put('d', '4')
        expect(() =>
          use.store.atomic(() => {
            use.store.deleteRangeSync({ gte: bytes('c') })
            expect(get('d')).toBeUndefined()
            throw new Error('stop')
          }),
        ).toThrow('stop')
        expect(get('d')).toBe('4')
      })
      expect(use.store.stats().sequence).toBe(sequence + 1)
      const check = () => expect(texts(use.store.scan())).toEqual(['a=1', 'c=3', 'd=4'])
      check()
      if (use.place.persistent) await reopen()
      check()
    })

    test('in a batch larger than a memtable', async () => {
      for (let i = 0; i < 100; i++) use.store.putSync(numbered(i), bytes('old'))
      use.store.atomic(() => {
        use.store.deleteRangeSync({ gte: numbered(50) })
        for (let i = 0; i < 2000; i++) use.store.putSync(bytes(`new ${i}`), bytes('x'.repeat(100)))
        use.store.deleteRangeSync({ prefix: bytes('new 1') })
      })
      const check = () => expect([...use.store.scan({ keysOnly: true })]).toHaveLength(50 + 2000 - 1111)
      check()
      if (use.place.persistent) await reopen()
      check()
    })

    test('snapshots see what was there', async () => {
      if (!use.store.capabilities.snapshots) return
      for (const key of ['a', 'b', 'c']) put(key, '1')
      const first = use.store.snapshot()
      use.store.deleteRangeSync({ gte: bytes('b') })
      const second = use.store.snapshot()
      put('b', '2')
      use.store.deleteRangeSync({ lt: bytes('b') })
      for (const [, settle] of settles.slice(0, 3)) {
        await settle()
        await use.store.compactRange()
        expect(texts(use.store.scan({ snapshot: first }))).toEqual(['a=1', 'b=1', 'c=1'])
        expect(texts(use.store.scan({ snapshot: second }))).toEqual(['a=1'])
        expect(text(use.store.getSync(bytes('c'), { snapshot: first }))).toBe('1')
        expect(use.store.getSync(bytes('c'), { snapshot: second })).toBeUndefined()
        expect(texts(use.store.scan())).toEqual(['b=2'])
      }
      first.close()
      await use.store.compactRange()
      expect(texts(use.store.scan({ snapshot: second }))).toEqual(['a=1'])
      second.close()
      await use.store.compactRange()
      expect(texts(use.store.scan())).toEqual(['b=2'])
    })

    test('scans see one moment', async () => {
      for (let i = 0; i < 2000; i++) use.store.putSync(numbered(i), bytes('x'.repeat(50)))
      const scans = [use.store.scan(), use.store.scan({ reverse: true })].map((scan) => scan[Symbol.iterator]())
      scans[1]!.next()
      use.store.deleteRangeSync({ gte: numbered(3) })
      await use.store.compactRange()
      expect([...{ [Symbol.iterator]: () => scans[0]! }]).toHaveLength(2000)
      expect([...{ [Symbol.iterator]: () => scans[1]! }]).toHaveLength(1999)
      expect([...use.store.scan()]).toHaveLength(3)
    })

    test('the space comes back', async () => {
      for (let i = 0; i < 5000; i++) use.store.putSync(numbered(i), bytes(`${i} `.repeat(30)))
      await use.store.compactRange()
      const full = use.store.stats()
      use.store.deleteRangeSync({ gte: numbered(10) })
      await use.store.flush()
      expect([...use.store.scan()]).toHaveLength(10)
      await use.store.compactRange()
      const empty = use.store.stats()
      expect(empty.keysEstimate).toBe(10)
      if (use.place.persistent) expect(dataBytes(empty)).toBeLessThan(dataBytes(full) / 2)
    })

    test('bounds that are no bytes are refused', async () => {
      put('a', '1')
      expect(() => use.store.deleteRangeSync({ gte: 'a' as never })).toThrow(TypeError)
      expect(() => use.store.deleteRangeSync(undefined as never)).toThrow(TypeError)
      await expect(use.store.deleteRange({ lt: 7 as never })).rejects.toThrow(TypeError)
      expect(() => use.store.approximateSize({ prefix: 'a' as never })).toThrow(TypeError)
      expect(keysOf(use.store.scan())).toEqual(['a'])
    })
  })

  describe('approximateSize', () => {
    test('tells parts from the whole, wherever they lie', async () => {
      expect(use.store.approximateSize({ prefix: bytes('none') })).toBe(0)
      for (let i = 0; i < 3000; i++) use.store.putSync(numbered(i), bytes(`${i} `.repeat(10)))
      for (const [, settle] of settles) {
        await settle()
        const whole = use.store.approximateSize({})
        const half = use.store.approximateSize({ lt: numbered(1500) })
        const tenth = use.store.approximateSize({ gte: numbered(300), lt: numbered(600) })
        expect(whole).toBeGreaterThan(3000 * 10)
        expect(half / whole).toBeGreaterThan(0.3)
        expect(half / whole).toBeLessThan(0.7)
        expect(tenth / whole).toBeGreaterThan(0.03)
        expect(tenth / whole).toBeLessThan(0.25)
        expect(use.store.approximateSize({ gte: bytes('zzz') })).toBe(0)
        expect(use.store.approximateSize({ gte: numbered(9), lt: numbered(9) })).toBe(0)
      }
    })
  })
}
