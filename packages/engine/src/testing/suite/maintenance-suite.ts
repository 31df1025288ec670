import { describe, expect, test } from 'vitest'
import { bytes, dataBytes, keysOf, numbered, type SuiteStore, texts } from './suite-store.js'

export function maintenanceSuite(use: SuiteStore): void {
  const { put, reopen } = use
  describe('maintenance', () => {
    test('clear removes everything at once, and again, with flushes under way', async () => {
      await use.store.clear()
      for (let round = 0; round < 3; round++) {
        for (let i = 0; i < 3000; i++) use.store.putSync(numbered(i), bytes('x'.repeat(100)))
        const flushed = use.store.flush()
        const cleared = use.store.clear()
        expect(keysOf(use.store.scan())).toEqual([])
        expect(use.store.getSync(numbered(1))).toBeUndefined()
        put('kept', String(round))
        await Promise.all([flushed, cleared])
        expect(texts(use.store.scan())).toEqual([`kept=${round}`])
      }
      await use.store.compactRange()
      if (use.place.persistent) await reopen()
      expect(texts(use.store.scan())).toEqual(['kept=2'])
    })

    test('space comes back after deletes and compaction', async () => {
      for (let i = 0; i < 5000; i++) use.store.putSync(numbered(i), bytes(`${i} `.repeat(30)))
      await use.store.compactRange()
      const full = use.store.stats()
      for (let i = 0; i < 5000; i++) use.store.deleteSync(numbered(i))
      expect(keysOf(use.store.scan())).toEqual([])
      await use.store.compactRange()
      const empty = use.store.stats()
      expect(empty.keysEstimate).toBe(0)
      if (use.place.persistent) expect(dataBytes(empty)).toBeLessThan(dataBytes(full) / 2)
      expect(keysOf(use.store.scan())).toEqual([])
    })

    test('compactRange of a part keeps the rest', async () => {
      for (let i = 0; i < 3000; i++) use.store.putSync(numbered(i % 1000), bytes(`value ${i} `.repeat(5)))
      for (let i = 0; i < 1000; i += 2) use.store.deleteSync(numbered(i))
      const before = texts(use.store.scan())
      await use.store.compactRange({ gte: numbered(200), lt: numbered(400) })
      expect(texts(use.store.scan())).toEqual(before)
      await use.store.compactRange({ gte: numbered(990) })
      await use.store.compactRange({ lt: numbered(1) })
      expect(texts(use.store.scan())).toEqual(before)
      await use.store.compactRange({ gte: bytes('zzz') })
      expect(texts(use.store.scan())).toEqual(before)
    })

    test('many calls at once', async () => {
      for (let i = 0; i < 2000; i++) use.store.putSync(numbered(i), bytes(`value ${i} `.repeat(5)))
      const before = texts(use.store.scan())
      const calls: Promise<unknown>[] = [
        use.store.flush(),
        use.store.compactRange(),
        use.store.flush(),
        use.store.compactRange(),
        use.store.verify(),
      ]
      for (let i = 0; i < 100; i++) calls.push(use.store.put(numbered(i), use.store.getSync(numbered(i))!))
      await Promise.all(calls)
      expect(texts(use.store.scan())).toEqual(before)
    })

    test('verify finds nothing wrong', async () => {
      for (let i = 0; i < 2000; i++) use.store.putSync(numbered(i), bytes(`value ${i} `.repeat(5)))
      await use.store.flush()
      put('a', '1')
      const report = await use.store.verify()
      expect(report.errors).toEqual([])
      expect(report.records).toBe(2001)
    })

    test('stats are numbers', async () => {
      for (let i = 0; i < 2000; i++) use.store.putSync(numbered(i), bytes(`value ${i} `.repeat(5)))
      await use.store.flush()
      const stats = use.store.stats()
      expect(stats).toMatchObject({ sequence: 2000, readOnlyReason: undefined })
      expect(stats.keysEstimate).toBe(2000)
      const figures = [stats.diskBytes, stats.memoryBytes, ...Object.values(stats.details)]
      for (const figure of figures) expect(Number.isFinite(figure) && figure >= 0).toBe(true)
    })
  })
}
