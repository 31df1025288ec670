import { describe, expect, test } from 'vitest'
import type { Entry } from '../../store.js'
import { bytes, numbered, type SuiteStore, text, texts } from './suite-store.js'

export function atomicSuite(use: SuiteStore): void {
  const { get, put, remove, reopen } = use
  describe('atomic', () => {
    test('returns what the function returns, and it reads its own writes', () => {
      put('a', '0')
      const result = use.store.atomic(() => {
        put('a', '1')
        put('b', '2')
        expect(get('a')).toBe('1')
        remove('a')
        expect(get('a')).toBeUndefined()
        expect(texts(use.store.scan())).toEqual(['b=2'])
        return 'done'
      })
      expect(result).toBe('done')
      expect(texts(use.store.scan())).toEqual(['b=2'])
      expect(use.store.stats().sequence).toBe(4)
    })

    test('a throw takes everything back', async () => {
      for (let i = 0; i < 100; i++) use.store.putSync(numbered(i), bytes(`old ${i}`))
      await use.store.flush()
      for (let i = 50; i < 150; i++) use.store.putSync(numbered(i), bytes(`older ${i}`))
      const before = texts(use.store.scan())
      const { sequence } = use.store.stats()
      const attempt = () =>
        use.store.atomic(() => {
          for (let i = 0; i < 200; i++) use.store.putSync(numbered(i), bytes(`new ${i}`))
          for (let i = 0; i < 200; i += 3) use.store.deleteSync(numbered(i))
          throw new Error('changed my mind')
        })
      for (let round = 0; round < 3; round++) {
        expect(attempt).toThrow('changed my mind')
        expect(texts(use.store.scan())).toEqual(before)
        expect(use.store.stats().sequence).toBe(sequence)
        for (let i = 0; i < 200; i++)
          expect(text(use.store.getSync(numbered(i)))).toBe(i < 50 ? `old ${i}` : i < 150 ? `older ${i}` : undefined)
      }
      expect(put('after', '1')).toBe(sequence + 1)
      if (use.place.persistent) await reopen()
      expect(texts(use.store.scan())).toEqual(['after=1', ...before])
    })

    test('an inner one joins the outer one; one that throws takes only its own writes back', () => {
      put('a', '0')
      use.store.atomic(() => {
        put('a', '1')
        use.store.atomic(() => put('b', '1'))
        expect(() =>
          use.store.atomic(() => {
            put('a', '2')
            put('c', '2')
            throw new Error('inner')
          }),
        ).toThrow('inner')
        expect(() =>
          use.store.writeSync([
            { type: 'put', key: bytes('d'), value: bytes('3') },
            { type: 'delete', key: new Uint8Array(0) },
          ]),
        ).toThrow(RangeError)
        expect(texts(use.store.scan())).toEqual(['a=1', 'b=1'])
        put('e', '4')
      })
      expect(texts(use.store.scan())).toEqual(['a=1', 'b=1', 'e=4'])
      expect(use.store.stats().sequence).toBe(4)
      expect(() =>
        use.store.atomic(() => {
          use.store.atomic(() => put('a', '5'))
          throw new Error('outer')
        }),
      ).toThrow('outer')
      expect(texts(use.store.scan())).toEqual(['a=1', 'b=1', 'e=4'])
    })

    test('far larger than a memtable, taken back and kept', async () => {
      const large = (round: number) => {
        for (let i = 0; i < 1500; i++) use.store.putSync(numbered(i), bytes(`${round} `.repeat(50)))
      }
      put('before', '1')
      expect(() =>
        use.store.atomic(() => {
          large(0)
          throw new Error('too much')
        }),
      ).toThrow('too much')
      expect(texts(use.store.scan())).toEqual(['before=1'])
      use.store.atomic(() => {
        large(1)
        expect(() =>
          use.store.atomic(() => {
            large(2)
            throw new Error('inner')
          }),
        ).toThrow('inner')
        put('inside', '2')
      })
      const check = () => {
        expect(use.store.stats().sequence).toBe(1502)
        expect(get('inside')).toBe('2')
        expect(get('before')).toBe('1')
        for (let i = 0; i < 1500; i++) expect(text(use.store.getSync(numbered(i)))).toBe('1 '.repeat(50))
      }
      check()
      if (use.place.persistent) await reopen()
      check()
    })

    test('is synchronous: a promise is a mistake, and maintenance has to wait', async () => {
      expect(() => use.store.atomic(async () => put('a', '1'))).toThrow(TypeError)
      expect(get('a')).toBeUndefined()
      const inside: Promise<unknown>[] = []
      use.store.atomic(() => {
        put('b', '1')
        inside.push(use.store.put(bytes('c'), bytes('2')))
        for (const call of [() => use.store.flush(), () => use.store.clear(), () => use.store.compactRange()])
          inside.push(expect(call()).rejects.toThrow(TypeError))
      })
      await Promise.all(inside)
      expect(texts(use.store.scan())).toEqual(['b=1', 'c=2'])
      if (use.place.persistent) await reopen()
      expect(texts(use.store.scan())).toEqual(['b=1', 'c=2'])
    })

    test('a scan that outlives it, and what was taken back under it', () => {
      put('a', '0')
      const scans: Iterator<Entry>[] = []
      expect(() =>
        use.store.atomic(() => {
          for (let i = 0; i < 50; i++) use.store.putSync(numbered(i), bytes(`inside ${i}`))
          scans.push(use.store.scan()[Symbol.iterator](), use.store.scan({ reverse: true })[Symbol.iterator]())
          throw new Error('no')
        }),
      ).toThrow('no')
      for (let i = 0; i < 200; i++) use.store.putSync(numbered(i), bytes(`after ${i}`.repeat(10)))
      const inside = ['a=0', ...Array.from({ length: 50 }, (_, i) => `key ${String(i).padStart(6, '0')}=inside ${i}`)]
      const rest = (iterator: Iterator<Entry>) => texts({ [Symbol.iterator]: () => iterator })
      expect(rest(scans[0]!)).toEqual(inside)
      expect(rest(scans[1]!)).toEqual(inside.toReversed())
    })
  })
}
