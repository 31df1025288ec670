import { describe, expect, test } from 'vitest'
import type { Entry, ScanOptions } from '../../store.js'
import { SeededRandom } from '../seeded-random.js'
import { bytes, collect, numbered, type SuiteStore, text, texts } from './suite-store.js'

export function scanSuite(use: SuiteStore): void {
  const { put, remove } = use
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
          use.store.putSync(bytes(key), bytes('gone'), { expiresAt: use.now })
          model.delete(key)
        } else {
          put(key, String(i))
          model.set(key, String(i))
        }
        if (i === 1000) await use.store.compactRange()
        if (i % 500 === 499 && i < 2900) await use.store.flush()
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
        expect(texts(use.store.scan(options)), label).toEqual(wanted)
        if (round % 8 === 0) expect(texts(await collect(use.store.scan(options))), label).toEqual(wanted)
        if (round % 8 === 1) {
          const entries = [...use.store.scan({ ...options, keysOnly: true })]
          expect(texts(entries), label).toEqual(wanted.map((entry) => `${entry.split('=')[0]}=`))
        }
      }
    })

    test('bounds beyond all keys, of the largest bytes', () => {
      for (const key of [[0], [0, 0], [254], [255], [255, 255], [255, 255, 0]])
        use.store.putSync(Uint8Array.from(key), bytes(''))
      const found = (options: ScanOptions) => [...use.store.scan(options)].map(({ key }) => [...key])
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
      const scans = Array.from({ length: 4 }, () => use.store.scan({ reverse })[Symbol.iterator]())
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
      for (let i = 0; i < 2000; i++) use.store.putSync(numbered(i), bytes('x'.repeat(100)))
      advance()
      await use.store.flush()
      advance()
      await use.store.compactRange()
      advance()
      use.store.atomic(() => put('b1', 'atomic'))
      await use.store.clear()
      put('b2', 'after')
      for (let i = 0; i < 20; i++) advance()
      for (const entries of found) expect(entries).toEqual(model)
      expect(texts(use.store.scan())).toEqual(['b2=after'])
    })

    test('an early end releases what it held, and ends it', async () => {
      await fill()
      for (const _ of use.store.scan()) break
      for await (const _ of use.store.scan()) break
      expect(() => {
        for (const _ of use.store.scan()) throw new Error('stop')
      }).toThrow('stop')
      const iterator = use.store.scan()[Symbol.iterator]()
      iterator.next()
      iterator.return?.()
      expect(iterator.next().done).toBe(true)
      const whole = use.store.scan({ limit: 1 })[Symbol.iterator]()
      whole.next()
      expect([whole.next().done, whole.next().done]).toEqual([true, true])
    })

    test('asynchronous ones let other work happen', async () => {
      for (let i = 0; i < 2000; i++) use.store.putSync(numbered(i), bytes(''))
      let turns = 0
      let counting = true
      const count = () => {
        turns++
        if (counting) setImmediate(count)
      }
      setImmediate(count)
      expect(await collect(use.store.scan())).toHaveLength(2000)
      counting = false
      if (use.place.persistent) expect(turns).toBeGreaterThan(2)
    })
  })
}
