import { describe, expect, test } from 'vitest'
import type { BatchOperation } from '../../store.js'
import { bytes, type SuiteStore } from './suite-store.js'

export function sequenceSuite(use: SuiteStore): void {
  const { put, remove, reopen } = use
  describe('sequences', () => {
    test('are consecutive over all writes, and kept with the records', async () => {
      expect(use.store.stats().sequence).toBe(0)
      expect(put('a', '1')).toBe(1)
      expect(remove('nothing')).toBe(2)
      expect(await use.store.put(bytes('b'), bytes('2'))).toBe(3)
      expect(await use.store.delete(bytes('a'))).toBe(4)
      const batch: BatchOperation[] = [
        { type: 'put', key: bytes('c'), value: bytes('3') },
        { type: 'put', key: bytes('d'), value: bytes('4') },
      ]
      expect(use.store.writeSync(batch)).toBe(6)
      expect(await use.store.write(batch)).toBe(8)
      expect(use.store.writeSync([])).toBe(8)
      await use.store.flush()
      expect([...use.store.scan()].map(({ sequence }) => sequence)).toEqual([3, 7, 8])
      await use.store.clear()
      expect(put('a', '1')).toBeGreaterThan(8)
    })

    test('go on where they were, after a reopen', async () => {
      if (!use.place.persistent) return
      for (let i = 0; i < 10; i++) put('a', String(i))
      await reopen()
      expect(use.store.stats().sequence).toBe(10)
      expect(use.store.getEntry(bytes('a'))?.sequence).toBe(10)
      expect(remove('a')).toBe(11)
      await use.store.compactRange()
      await reopen()
      expect(put('a', 'x')).toBe(12)
      await use.store.clear()
      await reopen()
      expect(put('a', 'x')).toBeGreaterThan(12)
    })
  })
}
