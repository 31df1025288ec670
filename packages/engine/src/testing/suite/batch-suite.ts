import { describe, expect, test } from 'vitest'
import type { BatchOperation } from '../../store.js'
import { bytes, numbered, type SuiteStore } from './suite-store.js'

export function batchSuite(use: SuiteStore): void {
  const { get, reopen } = use
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
              expiresAt: use.now + i,
              writtenAt: i % 3 ? use.now + i : 0,
            },
      )
      expect(await use.store.write(batch)).toBe(4000)
      const check = () => {
        expect([...use.store.scan()]).toHaveLength(2399)
        expect(use.store.getEntry(numbered(1002))).toMatchObject({
          sequence: 1003,
          tag: 10,
          expiresAt: use.now + 1002,
          writtenAt: 0,
        })
        expect(use.store.getEntry(numbered(1001))?.writtenAt).toBe(use.now + 1001)
        expect(use.store.getSync(numbered(1003))).toBeUndefined()
      }
      check()
      if (use.place.persistent) await reopen()
      check()
    })

    test('the last operation on a key counts', () => {
      const key = bytes('a')
      use.store.writeSync([
        { type: 'put', key, value: bytes('1') },
        { type: 'delete', key },
        { type: 'put', key, value: bytes('2') },
      ])
      expect(get('a')).toBe('2')
      use.store.writeSync([
        { type: 'put', key, value: bytes('3') },
        { type: 'delete', key },
      ])
      expect(get('a')).toBeUndefined()
    })
  })
}
