import { describe, expect, test } from 'vitest'
import { MemoryStore } from '../../memory/memory-store.js'
import type { Snapshot } from '../../store.js'
import { SeededRandom } from '../seeded-random.js'
import { bytes, dataBytes, keysOf, numbered, type SuiteStore, text, texts } from './suite-store.js'

/** For stores with the capability `snapshots`. */
export function snapshotSuite(use: SuiteStore): void {
  const { put, remove, reopen } = use

  describe('snapshots', () => {
    const getAt = (snapshot: Snapshot, key: string) => text(use.store.getSync(bytes(key), { snapshot }))

    test('every read sees their moment, whatever happens after it', async () => {
      put('a', '1')
      put('b', '1')
      remove('c')
      using snapshot = use.store.snapshot()
      expect(snapshot.sequence).toBe(3)
      put('a', '2')
      remove('b')
      put('c', '2')
      const check = async () => {
        expect(['a', 'b', 'c'].map((key) => getAt(snapshot, key))).toEqual(['1', '1', undefined])
        expect(text(await use.store.get(bytes('a'), { snapshot }))).toBe('1')
        const found = await use.store.getMany(['a', 'b', 'c'].map(bytes), { snapshot })
        expect(found.map(text)).toEqual(['1', '1', undefined])
        expect(use.store.getEntry(bytes('b'), { snapshot })).toMatchObject({ sequence: 2 })
        expect(use.store.getEntry(bytes('c'), { snapshot })).toBeUndefined()
        expect(texts(use.store.scan({ snapshot }))).toEqual(['a=1', 'b=1'])
        expect(texts(use.store.scan({ snapshot, reverse: true }))).toEqual(['b=1', 'a=1'])
        expect(texts(use.store.scan({ snapshot, gt: bytes('a') }))).toEqual(['b=1'])
      }
      await check()
      await use.store.flush()
      await check()
      put('a', '3')
      await use.store.compactRange()
      await check()
      await use.store.clear()
      await check()
      await use.store.compactRange()
      await check()
      expect(keysOf(use.store.scan())).toEqual([])
    })

    test('many at once, through flushes and compactions', async () => {
      const random = new SeededRandom(9)
      const model = new Map<string, string>()
      const state = () => [...model].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${value}`)
      const open: { snapshot: Snapshot; expected: string[] }[] = []
      for (let i = 0; i < 4000; i++) {
        const key = `key ${random.below(50)}`
        if (random.chance(0.2)) {
          remove(key)
          model.delete(key)
        } else {
          put(key, `${i} `.repeat(20))
          model.set(key, `${i} `.repeat(20))
        }
        if (random.chance(0.01)) open.push({ snapshot: use.store.snapshot(), expected: state() })
        if (open.length > 0 && random.chance(0.008)) open.splice(random.below(open.length), 1)[0]!.snapshot.close()
        if (i % 700 === 699) await use.store.flush()
        if (i % 1500 === 1499) await use.store.compactRange()
        if (i % 500 !== 499) continue
        for (const { snapshot, expected } of open) {
          expect(texts(use.store.scan({ snapshot }))).toEqual(expected)
          for (const entry of expected) expect(getAt(snapshot, entry.split('=')[0]!)).toBe(entry.split('=')[1])
        }
      }
      for (const { snapshot, expected } of open) {
        expect(texts(use.store.scan({ snapshot, reverse: true }))).toEqual(expected.toReversed())
        snapshot.close()
      }
      await use.store.compactRange()
      expect(texts(use.store.scan())).toEqual(state())
      if (use.place.persistent) await reopen()
      expect(texts(use.store.scan())).toEqual(state())
    })

    test('what expires is gone from them too', () => {
      use.store.putSync(bytes('a'), bytes('1'), { expiresAt: use.now + 5 })
      using snapshot = use.store.snapshot()
      expect(getAt(snapshot, 'a')).toBe('1')
      use.now += 5
      expect(getAt(snapshot, 'a')).toBeUndefined()
    })

    test('the space of what only they showed comes back', async () => {
      const fill = (round: number) => {
        for (let i = 0; i < 2000; i++) use.store.putSync(numbered(i), bytes(`${round} ${i} `.repeat(8)))
      }
      fill(0)
      await use.store.compactRange()
      const diskBytes = dataBytes(use.store.stats())
      const snapshot = use.store.snapshot()
      fill(1)
      await use.store.compactRange()
      expect(text(use.store.getSync(numbered(7), { snapshot }))).toBe('0 7 '.repeat(8))
      snapshot.close()
      await use.store.compactRange()
      expect(dataBytes(use.store.stats())).toBeLessThanOrEqual(diskBytes * 1.1)
      expect(use.store.stats().keysEstimate).toBe(2000)
    })

    test('scans begun at one go on after it is closed', async () => {
      for (let i = 0; i < 100; i++) put(`key ${i}`, '1')
      const snapshot = use.store.snapshot()
      const iterator = use.store.scan({ snapshot })[Symbol.iterator]()
      const unbegun = use.store.scan({ snapshot })[Symbol.iterator]()
      iterator.next()
      snapshot.close()
      await use.store.clear()
      await use.store.compactRange()
      expect([...{ [Symbol.iterator]: () => iterator }]).toHaveLength(99)
      expect([...{ [Symbol.iterator]: () => unbegun }]).toHaveLength(100)
    })

    test('closed, they are refused; closing twice is closing once', async () => {
      const snapshot = use.store.snapshot()
      snapshot.close()
      snapshot.close()
      await snapshot[Symbol.asyncDispose]()
      const closed = expect.objectContaining({ code: 'CASKADE_CLOSED' })
      const key = bytes('a')
      expect(() => use.store.getSync(key, { snapshot })).toThrow(closed)
      expect(() => use.store.getEntry(key, { snapshot })).toThrow(closed)
      expect(() => use.store.scan({ snapshot })).toThrow(closed)
      await expect(use.store.get(key, { snapshot })).rejects.toEqual(closed)
      await expect(use.store.getMany([key], { snapshot })).rejects.toEqual(closed)
    })

    test('those of another store, and other things, are refused', () => {
      const other = new MemoryStore()
      using snapshot = other.snapshot()
      expect(() => use.store.getSync(bytes('a'), { snapshot })).toThrow(TypeError)
      expect(() => use.store.scan({ snapshot: { sequence: 1 } as never })).toThrow(TypeError)
    })

    test('not inside of an atomic batch', () => {
      use.store.atomic(() => expect(() => use.store.snapshot()).toThrow(TypeError))
    })

    test('what an aborted batch wrote does not show in one taken after it', () => {
      put('a', '1')
      expect(() =>
        use.store.atomic(() => {
          put('a', '2')
          throw new Error('stop')
        }),
      ).toThrow('stop')
      using snapshot = use.store.snapshot()
      put('a', '3')
      expect(getAt(snapshot, 'a')).toBe('1')
    })

    test('the store closes with some open', async () => {
      put('a', '1')
      const snapshot = use.store.snapshot()
      await reopen()
      snapshot.close()
      expect(() => use.store.getSync(bytes('a'), { snapshot })).toThrow(TypeError)
    })
  })
}
