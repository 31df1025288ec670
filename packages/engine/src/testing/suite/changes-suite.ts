import { describe, expect, test } from 'vitest'
import type { Change, KeyRange } from '../../store.js'
import { bytes, collect, numbered, type SuiteStore, text } from './suite-store.js'

const rangeText = ({ gte, lt }: KeyRange) => `[${text(gte)}, ${text(lt) ?? ''})`

/** Sequence, what happened, and a dot where a batch ends. */
const shown = (change: Change) => {
  const what =
    change.type === 'put'
      ? `${text(change.key)}=${text(change.value)}`
      : change.type === 'delete'
        ? `-${text(change.key)}`
        : `-${rangeText(change.range)}`
  return `${change.sequence} ${what}${change.batchEnd ? '.' : ''}`
}

/** With `changesBytes` of some MiB. */
export function changesSuite(use: SuiteStore): void {
  const { put, remove, reopen } = use
  const changes = (since: number, limit?: number) =>
    [...use.store.changes(since, limit === undefined ? {} : { limit })].map(shown)

  describe('changes', () => {
    test('tell every write in order, with what it had, through flushes and reopens', async () => {
      put('a', '1')
      remove('a')
      use.store.putSync(bytes('b'), bytes('2'), { tag: 3, expiresAt: use.now + 5, writtenAt: 77 })
      await use.store.write([
        { type: 'put', key: bytes('c'), value: bytes('3') },
        { type: 'delete', key: bytes('b') },
      ])
      use.store.deleteRangeSync({ gte: bytes('b'), lt: bytes('d') })
      // An unordered store deletes the keys of a range one by one.
      const { ordered } = use.store.capabilities
      const all = ['1 a=1.', '2 -a.', '3 b=2.', '4 c=3', '5 -b.', ordered ? '6 -[b, d).' : '6 -c.']
      const check = async () => {
        for (let since = 0; since <= 6; since++) expect(changes(since)).toEqual(all.slice(since))
        expect(changes(1, 2)).toEqual(all.slice(1, 3))
        expect(changes(1, 0)).toEqual([])
        expect((await collect(use.store.changes(2))).map(shown)).toEqual(all.slice(2))
        const third = [...use.store.changes(2, { limit: 1 })][0]
        expect(third).toMatchObject({ tag: 3, expiresAt: use.now + 5, writtenAt: 77 })
      }
      await check()
      await use.store.flush()
      await check()
      await use.store.compactRange()
      await check()
      if (use.place.persistent) await reopen()
      await check()
      await use.store.clear()
      if (ordered) expect(changes(5)).toEqual(['6 -[b, d).', '7 -[\0, ).'])
      else {
        // Whoever had followed it to the end must learn that everything is gone.
        const { sequence } = use.store.stats()
        for (const since of [5, sequence - 1])
          expect(() => changes(since)).toThrow(expect.objectContaining({ code: 'CASKADE_TOO_OLD' }))
        expect(changes(sequence)).toEqual([])
      }
    })

    test('of many segments have no gap, and each copy of them leads to the same store', async () => {
      for (let i = 0; i < 4000; i++) {
        if (i % 50 === 49) use.store.deleteRangeSync({ gte: numbered(i - 30), lt: numbered(i - 10) })
        else if (i % 7 === 3) use.store.deleteSync(numbered(i - 2))
        else use.store.putSync(numbered(i), bytes(`${i} `.repeat(10)))
        if (i % 1500 === 1499) await use.store.flush()
      }
      const model = new Map<string, string>()
      let sequence = 0
      for await (const change of use.store.changes(0)) {
        expect(change.sequence).toBe(++sequence)
        if (change.type === 'put') model.set(text(change.key)!, text(change.value)!)
        else if (change.type === 'delete') model.delete(text(change.key)!)
        else
          for (const key of [...model.keys()])
            if (key >= text(change.range.gte)! && key < text(change.range.lt)!) model.delete(key)
      }
      expect(sequence).toBe(use.store.stats().sequence)
      expect([...model].sort(([a], [b]) => (a < b ? -1 : 1))).toEqual(
        [...use.store.scan()].map(({ key, value }) => [text(key), text(value)]),
      )
    })

    test('what was taken back was never written', () => {
      put('a', '1')
      expect(() =>
        use.store.atomic(() => {
          put('b', '2')
          throw new Error('stop')
        }),
      ).toThrow('stop')
      use.store.atomic(() => {
        put('c', '3')
        put('d', '4')
      })
      expect(changes(0)).toEqual(['1 a=1.', '2 c=3', '3 d=4.'])
      use.store.atomic(() => expect(() => use.store.changes(0)).toThrow(TypeError))
    })

    test('live, they go on with what is written later, until told to stop', async () => {
      put('a', '1')
      const controller = new AbortController()
      const found: string[] = []
      const follow = async () => {
        for await (const change of use.store.changes(0, { live: true, signal: controller.signal })) {
          found.push(shown(change))
          if (change.sequence === 3) controller.abort(new Error('enough'))
        }
      }
      const following = follow()
      await new Promise((resolve) => setImmediate(resolve))
      expect(found).toEqual(['1 a=1.'])
      use.store.writeSync([
        { type: 'put', key: bytes('b'), value: bytes('2') },
        { type: 'delete', key: bytes('a') },
      ])
      await expect(following).rejects.toThrow('enough')
      expect(found).toEqual(['1 a=1.', '2 b=2', '3 -a.'])
    })

    test('live ones end when the store closes', async () => {
      const following = collect(use.store.changes(0, { live: true }))
      following.catch(() => {})
      await new Promise((resolve) => setImmediate(resolve))
      await use.store.close()
      await expect(following).rejects.toMatchObject({ code: 'CASKADE_CLOSED' })
    })

    test('those no longer kept are refused, and the oldest that are kept is named', async () => {
      for (let i = 0; i < 200; i++) {
        use.store.putSync(numbered(i), new Uint8Array(60_000).fill(i))
        if (i % 10 === 9) await use.store.flush()
      }
      await use.store.flush()
      // An unordered store keeps what no merge has touched, which may be more.
      if (!use.store.capabilities.ordered) await use.store.compactRange()
      const error = (() => {
        try {
          use.store.changes(0)
        } catch (thrown) {
          return thrown as { code: string; oldest: number }
        }
        return undefined
      })()
      expect(error).toMatchObject({ code: 'CASKADE_TOO_OLD' })
      const { oldest } = error!
      expect(oldest).toBeGreaterThan(0)
      expect([...use.store.changes(oldest)].map(({ sequence }) => sequence)).toEqual(
        Array.from({ length: 200 - oldest }, (_, i) => oldest + i + 1),
      )
      expect(() => use.store.changes(oldest - 1)).toThrow(expect.objectContaining({ oldest }))
    })

    test('a caller’s mistakes', () => {
      expect(() => use.store.changes(-1)).toThrow(RangeError)
      expect(() => use.store.changes(1.5)).toThrow(RangeError)
      expect(() => use.store.changes(0, { limit: -1 })).toThrow(RangeError)
      expect(changes(99)).toEqual([])
    })
  })
}
