import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareBytes } from '../../bytes.js'
import { BlockIndex } from './block-index.js'
import { blockContinues, decodeIndex, encodeIndex, type IndexEntry } from './index-section.js'
import { bytes } from './table.test.fixture.js'

const prefix = bytes('p/')
const full = (key: Uint8Array) => Buffer.concat([prefix, key])

function indexOf(separators: readonly Uint8Array[], continues: ReadonlySet<number> = new Set()): BlockIndex {
  const entries: IndexEntry[] = [new Uint8Array(0), ...separators].map((separator, i) => ({
    storedBytes: 100,
    flags: continues.has(i) ? blockContinues : 0,
    separator: full(separator),
  }))
  return new BlockIndex(decodeIndex(encodeIndex(entries, prefix), 24, 4)!)
}

/** The definition: the last block whose separator is less than the key, or equal if the block does not continue the one before. */
function located(separators: readonly Uint8Array[], continues: ReadonlySet<number>, key: Uint8Array): number {
  const before = separators.filter((separator) => compareBytes(separator, key) < 0).length
  const next = separators[before]
  return next !== undefined && compareBytes(next, key) === 0 && !continues.has(before + 1) ? before + 1 : before
}

const alphabets = [
  fc.uint8Array({ maxLength: 12 }),
  fc.string({ maxLength: 12, unit: fc.constantFrom('0', '1', 'f', 'z') }).map(Buffer.from),
]
const keys = fc.oneof(...alphabets)

test('the block that a linear search finds, whatever the separators', () => {
  fc.assert(
    fc.property(fc.array(keys, { maxLength: 60 }), fc.array(keys), fc.array(fc.nat(60)), (any, others, flagged) => {
      const separators = any.toSorted(compareBytes)
      const continues = new Set(flagged.map((i) => i + 1))
      const index = indexOf(separators, continues)
      for (const key of [...separators, ...others]) {
        const source = Buffer.concat([bytes('??'), full(key), bytes('?')])
        expect(index.locate(source, 2, source.length - 1)).toBe(located(separators, continues, key))
      }
    }),
  )
})

test('keys crowded in one place, and keys outside of the prefix', () => {
  const separators = Array.from({ length: 5000 }, (_, i) =>
    i < 4990 ? Buffer.from(`a${String(i).padStart(12, '0')}`) : Buffer.from(`z${i}`),
  )
  const index = indexOf(separators)
  for (const [i, separator] of separators.entries()) {
    expect(index.locate(full(separator), 0, separator.length + 2)).toBe(i + 1)
    expect(index.locate(full(Buffer.concat([separator, bytes('!')])), 0, separator.length + 3)).toBe(i + 1)
  }
  for (const [key, block] of [
    ['', 0],
    ['p', 0],
    ['o', 0],
    ['p/', 0],
    ['p0', 5000],
    ['q', 5000],
  ] as const)
    expect(index.locate(bytes(key), 0, key.length)).toBe(block)
})

test('separators in no order end every search', () => {
  fc.assert(
    fc.property(fc.array(keys, { maxLength: 60 }), keys, (separators, key) => {
      const block = indexOf(separators).locate(full(key), 0, key.length + 2)
      expect(block).toBeGreaterThanOrEqual(0)
      expect(block).toBeLessThanOrEqual(separators.length)
    }),
  )
})
