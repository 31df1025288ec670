import { describe, expect, test } from 'vitest'
import { CorruptionError, NewerFormatError } from '../../errors.js'
import { PartChecksum } from './checksum.js'
import { decodeIndex } from './index-section.js'
import { buildTable, fileNumber, find, openTable, put, sameRecord, scan } from './table.test.fixture.js'
import {
  blocksStart,
  checksumBytes,
  decodeFooter,
  decodeProperties,
  footerBytes,
  headerBytes,
  partBlock,
  partHeader,
  partProperties,
  tableVersion,
} from './table-format.js'

const model = Array.from({ length: 40 }, (_, i) => put(`key${100 + i}`, `value ${i} `.repeat(3), i + 1))

function parts(table: Uint8Array) {
  const footer = decodeFooter(table.subarray(table.length - footerBytes), fileNumber, table.length, 'x')
  const section = table.subarray(footer.index.offset, footer.index.offset + footer.index.length)
  const { offset, length } = footer.properties
  const { dictionaryBytes } = decodeProperties(table.subarray(offset, offset + length), table.length)!
  const start = blocksStart(dictionaryBytes)
  return { ...footer, start, blocks: decodeIndex(section, start, checksumBytes)! }
}

/** `undefined`: it threw a `CorruptionError` that names the file. Anything else thrown is a failure. */
function corruptionOr<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (error instanceof CorruptionError && error.file === '000007.sst') return undefined
    throw error
  }
}

/** Makes the checksum of a changed part right again, as a liar would. */
function reseal(table: Uint8Array, kind: number, offset: number, length: number): void {
  const view = new DataView(table.buffer, table.byteOffset)
  const checksum = new PartChecksum(fileNumber).of(kind, offset, table.subarray(offset, offset + length))
  view.setUint32(offset + length, checksum, true)
}

describe.each([
  { mapped: true, compression: 'none' as const },
  { mapped: true, compression: 'lz4' as const },
  { mapped: false, compression: 'none' as const },
  { mapped: false, compression: 'lz4' as const },
])('a damaged table, mapped $mapped, compression $compression', ({ mapped, compression }) => {
  const intact = buildTable(model, { blockBytes: 200, compression }).bytes

  test('any one changed byte is reported by verify, and no read gives a wrong answer', () => {
    for (let at = 0; at < intact.length; at++) {
      for (const flip of [0x01, 0x80]) {
        const table = intact.slice()
        table[at]! ^= flip
        const reader = corruptionOr(() => openTable(table, mapped))
        const wrong = (what: string) => new Error(`${what} with byte ${at} changed by ${flip}`)
        if (reader === undefined) continue
        if (corruptionOr(() => reader.verify()) !== undefined) throw wrong('verify is content')
        let lost = 0
        for (const r of model) {
          const found = corruptionOr(() => [find(reader, r.key)])
          if (found === undefined) lost++
          else if (!sameRecord(found[0], r)) throw wrong('a wrong answer')
        }
        // Only the records of one block are lost, and a scan does not pass over them.
        if (lost > 12) throw wrong(`${lost} records are lost`)
        const scanned = corruptionOr(() => scan(reader))
        if (lost > 0 !== (scanned === undefined)) throw wrong('scan and find disagree')
        if (scanned?.every((r, i) => sameRecord(r, model[i])) === false) throw wrong('a wrong scan')
      }
    }
  })

  test('cut off at any length, it does not open', () => {
    for (let length = 0; length < intact.length; length++) {
      expect(() => openTable(intact.subarray(0, length), mapped)).toThrow(CorruptionError)
    }
    expect(() => openTable(Buffer.concat([intact, new Uint8Array(1)]), mapped)).toThrow(CorruptionError)
    expect(() => openTable(new Uint8Array(intact.length), mapped)).toThrow(CorruptionError)
  })

  test('a table under another number is not opened, nor is a block of another table believed', () => {
    expect(() => openTable(intact, mapped, undefined, 8)).toThrow('it is table 7, expected table 8')
    const other = buildTable(model, { blockBytes: 200, compression }, 8).bytes
    const mixed = intact.slice()
    const { offsets } = parts(intact).blocks
    mixed.set(other.subarray(offsets[2]!, offsets[3]!), offsets[2]!)
    expect(() => scan(openTable(mixed, mapped))).toThrow(`offset ${offsets[2]}`)
  })
})

test('swapped blocks of one table are detected', () => {
  const table = buildTable(model, { blockBytes: 200, compression: 'none' }).bytes
  const { offsets } = parts(table).blocks
  const block = (i: number) => table.slice(offsets[i]!, offsets[i + 1]!)
  const sizes = Array.from({ length: offsets.length - 1 }, (_, i) => block(i).length)
  const first = sizes.findIndex((size, i) => sizes.indexOf(size, i + 1) > 0)
  const second = sizes.indexOf(sizes[first]!, first + 1)
  const [a, b] = [block(first), block(second)]
  table.set(b, offsets[first]!)
  table.set(a, offsets[second]!)
  expect(() => scan(openTable(table, true))).toThrow(`offset ${offsets[first]}`)
})

test('a newer format is refused as such, a mangled version as damage', () => {
  const table = buildTable(model).bytes
  const newer = table.slice()
  newer[16] = tableVersion + 1
  expect(() => openTable(newer, true)).toThrow(CorruptionError)
  reseal(newer, partHeader, 0, headerBytes - checksumBytes)
  expect(() => openTable(newer, true)).toThrow(NewerFormatError)
  newer[16] = 0
  reseal(newer, partHeader, 0, headerBytes - checksumBytes)
  expect(() => openTable(newer, true)).toThrow('no format version 0')
})

/** A table of one block, whose stored bytes are replaced by ones of the same length with a right checksum. */
function withBlock(change: (stored: Uint8Array) => void, compression: 'lz4' | 'none', mapped: boolean) {
  const table = buildTable(model, { compression }).bytes
  const { start, blocks } = parts(table)
  const end = blocks.offsets[1]! - checksumBytes
  change(table.subarray(start, end))
  reseal(table, partBlock, start, end - start)
  return openTable(table, mapped)
}

describe.each([true, false])('blocks that lie under a right checksum, mapped %s', (mapped) => {
  const expectRefused = (change: (stored: Uint8Array) => void, compression: 'lz4' | 'none') => {
    expect(() => find(withBlock(change, compression, mapped), model[0]!.key)).toThrow(CorruptionError)
    expect(() => scan(withBlock(change, compression, mapped))).toThrow(CorruptionError)
    expect(() => withBlock(change, compression, mapped).verify()).toThrow(CorruptionError)
  }
  test('a compressed value that claims another size than it has, or refers to what is before the dictionary', () => {
    const { bytes, sizeAt } = oneCompressedValue()
    for (const size of [1, 63, 65, 127]) {
      const changed = bytes.slice()
      changed[sizeAt] = size
      expectValueRefused(changed)
    }
    // Token, literals, then the distance.
    const changed = bytes.slice()
    const token = sizeAt + 1 + 1
    const distance = token + 1 + (changed[token]! >>> 4)
    changed.fill(0xff, distance, distance + 2)
    expectValueRefused(changed)
  })

  /** One key of one byte, a value of 64 bytes. */
  function oneCompressedValue() {
    const { bytes } = buildTable([put('k', 'abcdefgh'.repeat(8))], { compression: 'lz4' })
    // Behind block header, fingerprint and offset: key length, stored length, meta, sequence, size.
    return { bytes, sizeAt: parts(bytes).start + 10 + 1 + 2 + 4 }
  }

  function expectValueRefused(table: Uint8Array): void {
    const { start, blocks } = parts(table)
    reseal(table, partBlock, start, blocks.offsets[1]! - checksumBytes - start)
    const reader = openTable(table, mapped)
    expect(() => find(reader, Buffer.from('k'))).toThrow('a compressed value is malformed')
    expect(() => scan(reader)).toThrow(CorruptionError)
    expect(() => reader.verify()).toThrow('the value of record 0 is malformed')
  }

  test('every other byte sequence: any stored byte changed', () => {
    const table = buildTable(model).bytes
    const { start, blocks } = parts(table)
    const length = blocks.offsets[1]! - checksumBytes - start
    for (let at = 0; at < length; at++) {
      for (const value of [0, 0xff]) {
        // A changed literal is a changed record, under a checksum that vouches for it: nothing but the key's fingerprint can tell.
        const reader = withBlock((stored) => stored.fill(value, at, at + 1), 'lz4', mapped)
        expect(corruptionOr(() => scan(reader))?.length ?? model.length).toBe(model.length)
        corruptionOr(() => model.map((r) => find(reader, r.key)))
      }
    }
  })

  test('counts, offsets and lengths that lead out of the block', () => {
    expectRefused((stored) => stored.fill(0, 0, 2), 'none')
    expectRefused((stored) => stored.fill(0xff, 0, 2), 'none')
    expectRefused((stored) => stored.fill(3, 2, 3), 'none')
    expectRefused((stored) => stored.fill(4, 2, 3), 'none')
    expectRefused((stored) => stored.fill(1, 3, 4), 'none')
    expectRefused((stored) => stored.fill(0xff, 10 + model.length, 12 + model.length), 'none')
    const records = 10 + model.length * 3
    expectRefused((stored) => stored.fill(0xff, records, records + 5), 'none')
    expectRefused((stored) => stored.fill(0, records, records + 1), 'none')
    expectRefused((stored) => stored.fill(0x7f, records + 1, records + 2), 'none')
    expectRefused((stored) => stored.fill(0xff, records + 2, records + 3), 'none')
  })
})

test('a table that claims a dictionary larger than itself is refused before memory is taken', () => {
  const table = buildTable(model).bytes
  const { properties } = parts(table)
  new DataView(table.buffer, table.byteOffset).setUint32(properties.offset + 64, 2 ** 31, true)
  reseal(table, partProperties, properties.offset, properties.length)
  expect(() => openTable(table, true)).toThrow('the properties are malformed')
})
