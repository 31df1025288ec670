import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareBytes } from '../../bytes.js'
import { keyBytesMax } from '../../store.js'
import { kindDelete, kindPut } from '../record-cursor.js'
import { BlockCache } from './block-cache.js'
import { MemoryAppendFile } from './memory-file.test.fixture.js'
import {
  buildTable,
  bytes,
  defaultOptions,
  find,
  hashOf,
  lend,
  type ModelRecord,
  openTable,
  owned,
  put,
  scan,
  sorted,
} from './table.test.fixture.js'
import type { Passage } from './table-blocks.js'
import { TableBuilder } from './table-builder.js'

/** Few letters and shared beginnings: keys that are prefixes of others, ties in the index, many versions of one key. */
const key = fc
  .tuple(
    fc.constantFrom('', 'debian/', 'debian/python3-', 'debian/python3-django-'),
    fc.array(fc.constantFrom(0, 1, 0x61, 0xff), { maxLength: 10 }),
  )
  .map(([prefix, tail]) => new Uint8Array([...bytes(prefix), ...tail]))
  .filter((candidate) => candidate.length > 0)

const record: fc.Arbitrary<ModelRecord> = fc.record({
  key,
  value: fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.integer({ min: 0, max: 400 }).map((n) => new Uint8Array(n)),
  ),
  sequence: fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constantFrom(2 ** 31, 2 ** 32 + 1, 2 ** 48 - 1)),
  kind: fc.constantFrom(kindPut, kindDelete),
  expiresAt: fc.constantFrom(0, 0, 1, 1_900_000_000_000, 2 ** 52 - 1),
  tag: fc.integer({ min: 0, max: 15 }),
  writtenAt: fc.constantFrom(0, 0, 1, 1_790_000_000_000, 1_790_000_000_001, 1_790_086_400_000, 2 ** 48 - 1),
})

const records = fc
  .uniqueArray(record, {
    minLength: 1,
    maxLength: 120,
    selector: (r) => `${Buffer.from(r.key).toString('hex')}@${r.sequence}`,
  })
  .map(sorted)

const options = fc.record({
  blockBytes: fc.constantFrom(1, 64, 300, 4096),
  bloomBitsPerKey: fc.constantFrom(0, 2, 10),
  compression: fc.constantFrom('lz4' as const, 'none' as const),
})

const passages = fc.constantFrom<Passage>('near', 'ahead', 'once')

describe.each([true, false])('a table read with mapping %s', (mapped) => {
  test('holds what was added, in order, and its summary says so', () => {
    fc.assert(
      fc.property(records, options, passages, (model, tableOptions, passage) => {
        const table = buildTable(model, tableOptions)
        const reader = openTable(table.bytes, mapped)
        expect(scan(reader, passage)).toEqual(model)
        expect(reader.summary).toMatchObject(table.summary)
        expect(table.summary).toEqual({
          fileBytes: table.bytes.length,
          entries: model.length,
          tombstones: model.filter((r) => r.kind === kindDelete).length,
          smallestKey: model[0]!.key,
          largestKey: model.at(-1)!.key,
          smallestSequence: Math.min(...model.map((r) => r.sequence)),
          largestSequence: Math.max(...model.map((r) => r.sequence)),
          keyBytes: model.reduce((sum, r) => sum + r.key.length, 0),
          valueBytes: model.reduce((sum, r) => sum + r.value.length, 0),
          soonestExpiry: Math.min(...model.map((r) => r.expiresAt || Number.POSITIVE_INFINITY), 2 ** 52) % 2 ** 52,
          digest: reader.summary.digest,
        })
        expect(reader.verify()).toEqual({ records: model.length, bytes: table.bytes.length })
        expect(table.estimatedBytes).toBeGreaterThanOrEqual(table.bytes.length - 64)
      }),
      { numRuns: 150 },
    )
  })

  test('finds the newest version at or below a sequence', () => {
    fc.assert(
      fc.property(records, options, fc.array(key, { maxLength: 20 }), (model, tableOptions, strangers) => {
        const reader = openTable(buildTable(model, tableOptions).bytes, mapped, new BlockCache(8192))
        for (const wanted of [...model.map((r) => r.key), ...strangers]) {
          for (const sequence of [0, 7, 2 ** 32, 2 ** 48 - 1]) {
            const expected = model.find((r) => compareBytes(r.key, wanted) === 0 && r.sequence <= sequence)
            expect(find(reader, wanted, sequence)).toEqual(expected)
          }
        }
      }),
      { numRuns: 100 },
    )
  })

  test('cursors seek and turn round anywhere', () => {
    const step = fc.oneof(fc.constantFrom('first', 'last', 'next', 'previous', 'next', 'previous'), key)
    fc.assert(
      fc.property(
        records,
        options,
        passages,
        fc.array(step, { minLength: 1, maxLength: 40 }),
        (model, tableOptions, passage, steps) => {
          const reader = openTable(buildTable(model, tableOptions).bytes, mapped)
          const cursor = reader.cursor(passage)
          let at = -1
          for (const move of steps) {
            if (move === 'first') cursor.first()
            else if (move === 'last') cursor.last()
            else if (move === 'next') cursor.next()
            else if (move === 'previous') cursor.previous()
            else cursor.seek(Buffer.concat([bytes('?'), move, bytes('?')]), 1, 1 + move.length)

            if (move === 'first') at = 0
            else if (move === 'last') at = model.length - 1
            else if (move === 'next') at = at < 0 || at + 1 === model.length ? -1 : at + 1
            else if (move === 'previous') at = at - 1 < 0 ? -1 : at - 1
            else at = model.findIndex((r) => compareBytes(r.key, move) >= 0)
            expect(cursor.valid).toBe(at >= 0)
            if (cursor.valid) expect(owned(cursor)).toEqual(model[at])
          }
        },
      ),
      { numRuns: 150 },
    )
  })

  test.each(['lz4', 'none'] as const)(
    'keys of 1 and 65,535 bytes, values of 0 bytes to 8 MiB, with %s',
    (compression) => {
      const model = sorted([
        put(new Uint8Array(1), 'the least key'),
        put(new Uint8Array(keyBytesMax).fill(0x61), new Uint8Array(8 * 1024 * 1024).fill(7), 2),
        put(new Uint8Array(keyBytesMax).fill(0x61), 'older', 1),
        put(new Uint8Array(keyBytesMax).fill(0x61).fill(0x62, keyBytesMax - 1), new Uint8Array(70_000).fill(9)),
        put('small', ''),
        put('large', Buffer.alloc(1024 * 1024 - 1, 'compressible ')),
        put('larger', new Uint8Array(1024 * 1024).fill(3)),
      ])
      const table = buildTable(model, { compression })
      const reader = openTable(table.bytes, mapped)
      const found = scan(reader)
      expect(found.length).toBe(model.length)
      // `toEqual` takes minutes over millions of bytes.
      model.forEach((r, i) => {
        expect(Buffer.compare(found[i]!.key, r.key) || Buffer.compare(found[i]!.value, r.value)).toBe(0)
      })
      for (const r of model) expect(Buffer.compare(find(reader, r.key, r.sequence)!.value, r.value)).toBe(0)
      expect(reader.verify().records).toBe(model.length)
      if (compression === 'lz4') expect(table.bytes.length).toBeLessThan(9.6 * 1024 * 1024)
    },
  )

  test('the versions of one key may fill many blocks', () => {
    const versions = Array.from({ length: 500 }, (_, i) => put('hot', `version ${i}`, i))
    const model = sorted([put('cold', 'x'), ...versions, put('hotter', 'y')])
    const reader = openTable(buildTable(model, { blockBytes: 128 }).bytes, mapped)
    expect(scan(reader)).toEqual(model)
    for (const version of versions) expect(find(reader, version.key, version.sequence)).toEqual(version)
    expect(find(reader, bytes('hott'))).toBeUndefined()
    const cursor = reader.cursor()
    cursor.seek(bytes('hot'), 0, 3)
    expect(cursor.sequence).toBe(499)
  })
})

test('a compressed table is smaller, an incompressible one is stored as it is', () => {
  const repetitive = Array.from({ length: 200 }, (_, i) => put(`key${1000 + i}`, 'the same again and again '.repeat(4)))
  const plain = buildTable(repetitive, { compression: 'none' }).bytes.length
  expect(buildTable(repetitive).bytes.length).toBeLessThan(plain / 3)
  let state = 1
  const noise = () =>
    Uint8Array.from({ length: 100 }, () => {
      state = Math.imul(state, 48271) >>> 0
      return state >>> 24
    })
  const random = Array.from({ length: 200 }, (_, i) => put(`key${1000 + i}`, noise()))
  const cache = new BlockCache(1 << 20)
  find(openTable(buildTable(random).bytes, true, cache), bytes('key1000'))
  expect(cache.stats.blocks).toBe(0)
})

test('overhead of a record of 20 + 100 bytes, filter and index included, stays below 12 bytes', () => {
  const model = sorted(
    Array.from({ length: 5000 }, (_, i) =>
      put(
        Buffer.from(
          hashOf(bytes(`${i}`))
            .toString(16)
            .padStart(20, 'k'),
        ),
        new Uint8Array(100),
        i * 100,
      ),
    ),
  )
  expect(buildTable(model, { compression: 'none' }).bytes.length / model.length - 120).toBeLessThan(12)
})

test('lent bytes stay intact while other cursors and reads go on', () => {
  const model = Array.from({ length: 300 }, (_, i) => put(`key${1000 + i}`, `${i}`.repeat(20)))
  const reader = openTable(buildTable(model, { blockBytes: 512 }).bytes, false, new BlockCache(4096))
  const cursor = reader.cursor()
  cursor.first()
  for (const other of model) find(reader, other.key)
  scan(reader)
  expect(owned(cursor)).toEqual(model[0])
})

test('wrong order and wrong sizes are refused, and so is an empty table', () => {
  const builder = () => new TableBuilder(new MemoryAppendFile('t'), defaultOptions, 1)
  const add = (target: TableBuilder, r: ModelRecord) => target.add(lend(r), hashOf(r.key))
  expect(() => builder().finish()).toThrow('at least one record')
  for (const blockBytes of [1, 4096]) {
    const target = new TableBuilder(new MemoryAppendFile('t'), { ...defaultOptions, blockBytes }, 1)
    add(target, put('b', '', 5))
    expect(() => add(target, put('a', '', 9))).toThrow(RangeError)
    expect(() => add(target, put('b', '', 5))).toThrow(RangeError)
    expect(() => add(target, put('b', '', 6))).toThrow(RangeError)
    add(target, put('b', '', 4))
    target.finish()
    expect(() => add(target, put('c'))).toThrow('finished')
    expect(() => target.finish()).toThrow('finished')
  }
  expect(() => add(builder(), put(''))).toThrow('1 to 65535 bytes')
  expect(() => add(builder(), put(new Uint8Array(65_536)))).toThrow('1 to 65535 bytes')
  expect(() => add(builder(), put('k', '', 2 ** 48))).toThrow('2^48')
  expect(() => add(builder(), { ...put('k'), expiresAt: -1 })).toThrow('expiresAt')
  expect(() => add(builder(), { ...put('k'), writtenAt: 2 ** 48 })).toThrow('writtenAt')
})

test('a closed table refuses reads instead of finding nothing', () => {
  const reader = openTable(buildTable([put('a')]).bytes, true)
  reader.close()
  expect(() => find(reader, bytes('a'))).toThrow('is closed')
  expect(() => reader.cursor()).toThrow('is closed')
})
