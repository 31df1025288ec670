import { describe, expect, test } from 'vitest'
import { type BatchOperation, keyBytesMax, valueBytesMax } from '../../store.js'
import { bytes, keysOf, type SuiteStore } from './suite-store.js'

export function mistakeSuite(use: SuiteStore): void {
  const { get } = use
  describe('a caller’s mistakes', () => {
    const key = bytes('k')
    const value = bytes('v')
    test.each<[string, () => unknown, typeof TypeError | typeof RangeError]>([
      ['a text as a key', () => use.store.getSync('k' as never), TypeError],
      ['a text as a key to put', () => use.store.putSync('k' as never, value), TypeError],
      ['a text as a key to delete', () => use.store.deleteSync('k' as never), TypeError],
      ['no key', () => use.store.getEntry(undefined as never), TypeError],
      ['a text as a value', () => use.store.putSync(key, 'v' as never), TypeError],
      ['an empty key to get', () => use.store.getSync(new Uint8Array(0)), RangeError],
      ['an empty key to put', () => use.store.putSync(new Uint8Array(0), value), RangeError],
      ['an empty key to delete', () => use.store.deleteSync(new Uint8Array(0)), RangeError],
      ['an empty slice as a key', () => use.store.borrow(key, 1, 1), RangeError],
      ['a key too long to get', () => use.store.getSync(new Uint8Array(keyBytesMax + 1)), RangeError],
      ['a key too long to put', () => use.store.putSync(new Uint8Array(keyBytesMax + 1), value), RangeError],
      ['a value too long', () => use.store.putFrom(key, 0, 1, value, 0, valueBytesMax + 1, 0, 0, 0), RangeError],
      ['a tag too large', () => use.store.putSync(key, value, { tag: 16 }), RangeError],
      ['a negative tag', () => use.store.putSync(key, value, { tag: -1 }), RangeError],
      ['a fractional tag', () => use.store.putSync(key, value, { tag: 1.5 }), RangeError],
      ['a negative expiry', () => use.store.putSync(key, value, { expiresAt: -1 }), RangeError],
      ['a fractional expiry', () => use.store.putSync(key, value, { expiresAt: 1.5 }), RangeError],
      ['an expiry that is no number', () => use.store.putSync(key, value, { expiresAt: Number.NaN }), RangeError],
      ['a negative time of writing', () => use.store.putSync(key, value, { writtenAt: -1 }), RangeError],
      ['a fractional time of writing', () => use.store.putSync(key, value, { writtenAt: 1.5 }), RangeError],
      ['a time of writing too large', () => use.store.putSync(key, value, { writtenAt: 2 ** 48 }), RangeError],
      ['a text as a bound', () => use.store.scan({ gte: 'a' as never }), TypeError],
      ['a text as a prefix', () => use.store.scan({ prefix: 'a' as never }), TypeError],
      ['a negative limit', () => use.store.scan({ limit: -1 }), RangeError],
      ['a limit that is no number', () => use.store.scan({ limit: Number.NaN }), RangeError],
    ])('%s', (_name, mistake, type) => {
      expect(mistake).toThrow(type)
      expect([use.store.stats().sequence, keysOf(use.store.scan())]).toEqual([0, []])
    })

    test('in a batch: nothing of it happens', async () => {
      const bad: BatchOperation[] = [
        { type: 'delete', key: new Uint8Array(0) },
        { type: 'put', key, value: 'v' as never },
        { type: 'put', key, value, tag: 16 },
        { type: 'put', key, value, writtenAt: -1 },
        { type: 'neither', key } as never,
      ]
      for (const operation of bad) {
        const batch: BatchOperation[] = [{ type: 'put', key: bytes('a'), value }, operation]
        expect(() => use.store.writeSync(batch)).toThrow()
        await expect(use.store.write(batch)).rejects.toThrow()
        expect(get('a')).toBeUndefined()
      }
      expect(use.store.stats().sequence).toBe(0)
    })
  })
}
