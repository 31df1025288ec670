import { describe, expect, test } from 'vitest'
import { bytes, keysOf, type SuiteStore } from './suite-store.js'

export function expirySuite(use: SuiteStore): void {
  const { get, put } = use
  describe('expiry', () => {
    const cases = [
      ['in memory', async () => {}],
      ['in a table', () => use.store.flush()],
      ['compacted', () => use.store.compactRange()],
    ] as const
    test.each(cases)('a record is gone from its moment on: %s', async (_name, settle) => {
      use.store.putSync(bytes('a'), bytes('1'), { expiresAt: use.now + 10 })
      use.store.putSync(bytes('b'), bytes('2'), { expiresAt: use.now + 20 })
      put('c', '3')
      await settle()
      const expectKeys = async (...keys: string[]) => {
        expect(keysOf(use.store.scan())).toEqual(keys)
        expect(keysOf(use.store.scan({ reverse: true }))).toEqual(keys.toReversed())
        for (const key of ['a', 'b', 'c']) {
          expect(get(key) !== undefined).toBe(keys.includes(key))
          expect(use.store.borrow(bytes(key), 0, 1) !== undefined).toBe(keys.includes(key))
        }
        const found = await use.store.getMany(['a', 'b', 'c'].map(bytes))
        expect(found.filter((value) => value !== undefined)).toHaveLength(keys.length)
      }
      await expectKeys('a', 'b', 'c')
      expect(use.store.getEntry(bytes('a'))?.expiresAt).toBe(use.now + 10)
      use.now += 9
      await expectKeys('a', 'b', 'c')
      use.now += 1
      await expectKeys('b', 'c')
      use.now += 10
      await expectKeys('c')
      await use.store.compactRange()
      await expectKeys('c')
    })

    test.each(cases)('what it had replaced does not come back: %s', async (_name, settle) => {
      put('a', 'old')
      await settle()
      use.store.putSync(bytes('a'), bytes('new'), { expiresAt: use.now + 1 })
      await settle()
      use.now += 1
      expect(get('a')).toBeUndefined()
      await settle()
      await use.store.compactRange()
      expect(get('a')).toBeUndefined()
      expect(keysOf(use.store.scan())).toEqual([])
    })

    test('written again without expiry, it stays', () => {
      use.store.putSync(bytes('a'), bytes('1'), { expiresAt: use.now + 1 })
      put('a', '2')
      use.now += 1000
      expect(use.store.getEntry(bytes('a'))).toMatchObject({ expiresAt: 0 })
      use.store.putSync(bytes('a'), bytes('3'), { expiresAt: use.now })
      expect(get('a')).toBeUndefined()
    })
  })
}
