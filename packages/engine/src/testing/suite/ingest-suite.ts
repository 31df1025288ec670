import { describe, expect, test } from 'vitest'
import type { IngestRecord } from '../../store.js'
import { bytes, keysOf, numbered, type SuiteStore, text, texts } from './suite-store.js'

function* records(count: number, value: (i: number) => string, every = 1): Generator<IngestRecord> {
  for (let i = 0; i < count; i += every) yield { key: numbered(i), value: bytes(value(i)) }
}

export function ingestSuite(use: SuiteStore): void {
  const { reopen } = use
  const settlers = () => [
    async () => {},
    () => use.store.flush(),
    () => use.store.compactRange(),
    ...(use.place.persistent ? [reopen] : []),
  ]

  describe('ingest', () => {
    test('what is ingested is newer than what was there, and older than what comes after', async () => {
      for (let i = 0; i < 1500; i++) use.store.putSync(numbered(i), bytes(`before ${i}`))
      await use.store.flush()
      for (let i = 0; i < 1500; i += 5) use.store.deleteSync(numbered(i))
      const before = use.store.stats().sequence
      const sequence = await use.store.ingest(records(1500, (i) => `ingested ${i}`, 2))
      expect(sequence).toBe(before + 1)
      expect(use.store.stats().sequence).toBe(sequence)
      expect(use.store.putSync(numbered(4), bytes('after'))).toBe(sequence + 1)
      use.store.deleteSync(numbered(6))
      const expected = new Map<string, string>()
      for (let i = 0; i < 1500; i++) {
        if (i % 2 === 0) expected.set(text(numbered(i))!, `ingested ${i}`)
        else if (i % 5 !== 0) expected.set(text(numbered(i))!, `before ${i}`)
      }
      expected.set(text(numbered(4))!, 'after')
      expected.delete(text(numbered(6))!)
      for (const settle of settlers()) {
        await settle()
        expect(texts(use.store.scan())).toEqual([...expected].map(([key, value]) => `${key}=${value}`))
        for (let i = 0; i < 1500; i += 7) expect(use.get(text(numbered(i))!)).toBe(expected.get(text(numbered(i))!))
        expect(use.store.getEntry(numbered(2))?.sequence).toBe(sequence)
      }
    })

    test('keeps what belongs to a record', async () => {
      await use.store.ingest([
        { key: bytes('a'), value: bytes('1'), expiresAt: use.now + 10, tag: 3, writtenAt: 77 },
        { key: bytes('b'), value: bytes(''), tag: 15 },
        { key: bytes('c'), value: new Uint8Array(200_000).fill(7) },
      ])
      for (const settle of settlers()) {
        await settle()
        expect(use.store.getEntry(bytes('a'))).toMatchObject({ expiresAt: use.now + 10, tag: 3, writtenAt: 77 })
        expect(use.store.getEntry(bytes('b'))).toMatchObject({ expiresAt: 0, tag: 15, writtenAt: 0 })
        expect(use.store.getSync(bytes('c'))).toHaveLength(200_000)
      }
      use.now += 10
      expect(keysOf(use.store.scan())).toEqual(['b', 'c'])
    })

    test('takes asynchronous streams, and nothing at all', async () => {
      async function* slowly() {
        let n = 0
        for (const record of records(3000, (i) => `value ${i}`)) {
          if (n++ % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
          yield record
        }
      }
      expect(await use.store.ingest([])).toBe(0)
      expect(await use.store.ingest(slowly())).toBe(1)
      expect(keysOf(use.store.scan())).toHaveLength(3000)
      expect(await use.store.ingest(records(0, String))).toBe(1)
    })

    test('writes go on meanwhile, and neither side loses any', async () => {
      let done = false
      const ingested = use.store.ingest(records(4000, (i) => `ingested ${i}`, 2)).finally(() => {
        done = true
      })
      const written: { sequence: number; i: number }[] = []
      for (let i = 0; !done; i = (i + 13) % 4000) {
        written.push({ sequence: use.store.putSync(numbered(i), bytes(`written ${written.length}`)), i })
        if (written.length % 50 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      const sequence = await ingested
      const expected = new Map<number, string>()
      for (const [n, { i }] of written.entries()) if (written[n]!.sequence < sequence) expected.set(i, `written ${n}`)
      for (let i = 0; i < 4000; i += 2) expected.set(i, `ingested ${i}`)
      for (const [n, { i }] of written.entries()) if (written[n]!.sequence > sequence) expected.set(i, `written ${n}`)
      for (const settle of settlers()) {
        await settle()
        expect(texts(use.store.scan())).toEqual(
          [...expected].sort(([a], [b]) => a - b).map(([i, value]) => `${text(numbered(i))}=${value}`),
        )
      }
    })

    test('a scan under way does not see it', async () => {
      for (let i = 0; i < 10; i++) use.store.putSync(numbered(i), bytes('old'))
      const scan = use.store.scan()[Symbol.iterator]()
      const first = scan.next()
      await use.store.ingest(records(10, () => 'new'))
      const rest = [first.value!, ...{ [Symbol.iterator]: () => scan }]
      expect(rest.map(({ value }) => text(value))).toEqual(Array(10).fill('old'))
      expect(use.get(text(numbered(3))!)).toBe('new')
    })

    test.each<[string, IngestRecord[], RegExp]>([
      [
        'a key twice',
        [
          { key: bytes('a'), value: bytes('1') },
          { key: bytes('a'), value: bytes('2') },
        ],
        /"a" came after "a"/,
      ],
      [
        'keys that descend',
        [
          { key: bytes('b'), value: bytes('1') },
          { key: bytes('a'), value: bytes('2') },
        ],
        /"a" came after "b"/,
      ],
      ['a key that is no bytes', [{ key: 'a' as never, value: bytes('1') }], /a key is a Uint8Array/],
      ['a value that is no bytes', [{ key: bytes('a'), value: 1 as never }], /a value is a Uint8Array/],
      ['an empty key', [{ key: bytes(''), value: bytes('1') }], /a key has 1 to/],
      ['a tag too large', [{ key: bytes('a'), value: bytes('1'), tag: 16 }], /a tag is/],
    ])('%s: nothing is written', async (name, bad, message) => {
      if (name === 'keys that descend' && !use.store.capabilities.ordered) return
      use.put('kept', 'value')
      const good = Array.from({ length: 2000 }, (_, i) => ({
        key: bytes(`0 ${text(numbered(i))}`),
        value: bytes('good'),
      }))
      await expect(use.store.ingest([...good, ...bad])).rejects.toThrow(message)
      expect(texts(use.store.scan())).toEqual(['kept=value'])
      expect(use.store.stats().sequence).toBe(1)
    })

    test('an error of the stream, and an abort: nothing is written', async () => {
      const failure = new Error('the source broke')
      function* broken() {
        yield* records(5000, (i) => `${i} `.repeat(100))
        throw failure
      }
      await expect(use.store.ingest(broken())).rejects.toBe(failure)
      const controller = new AbortController()
      function* aborting() {
        for (const record of records(20_000, (i) => `${i} `.repeat(20))) {
          if (Buffer.compare(record.key, numbered(9000)) === 0) controller.abort(failure)
          yield record
        }
      }
      await expect(use.store.ingest(aborting(), { signal: controller.signal })).rejects.toBe(failure)
      await expect(use.store.ingest([], { signal: AbortSignal.abort(failure) })).rejects.toBe(failure)
      expect(keysOf(use.store.scan())).toEqual([])
      expect(use.store.stats().sequence).toBe(0)
      expect(() => use.store.atomic(() => use.store.ingest([]))).toThrow(TypeError)
    })
  })
}
