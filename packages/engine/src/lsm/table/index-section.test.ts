import { expect, test } from 'vitest'
import { decodeIndex, encodeIndex, type IndexEntry, separatorBetween } from './index-section.js'
import { bytes } from './table.test.fixture.js'

test('an index of a hundred thousand blocks comes back, in the first call too', () => {
  // Long enough for the optimizer to replace the loop while it runs: Node 26.10 once got this wrong.
  const entries: IndexEntry[] = Array.from({ length: 100_000 }, (_, i) => ({
    storedBytes: i % 1000 === 0 ? 2 ** 28 + i : 100 + (i % 5000),
    flags: i % 4,
    separator: bytes(`table/${i.toString(36).padStart((i % 9) + 5, '0')}`),
  }))
  const columns = decodeIndex(encodeIndex(entries, bytes('table/')), 24, 4)!
  expect(Buffer.from(columns.commonPrefix).toString()).toBe('table/')
  let offset = 24
  entries.forEach((entry, i) => {
    const separator = Buffer.from(columns.bytes.subarray(columns.separatorStarts[i], columns.separatorEnds[i]))
    const expected = i === 0 ? '' : Buffer.from(entry.separator).toString().slice(6)
    if (columns.offsets[i] !== offset || columns.flags[i] !== entry.flags || separator.toString() !== expected) {
      throw new Error(`block ${i} came back otherwise`)
    }
    offset = columns.offsets[i]! + entry.storedBytes + 4
  })
  expect(columns.offsets[entries.length]).toBe(offset)
})

test('an index cut off anywhere, or with a count that it cannot hold, is malformed', () => {
  const entries = [1, 300, 70_000].map((storedBytes, i) => ({ storedBytes, flags: 0, separator: bytes(`k${i}`) }))
  const section = encodeIndex(entries, bytes('k'))
  expect(decodeIndex(section, 24, 4)).toBeDefined()
  for (let length = 0; length < section.length; length++) {
    expect(decodeIndex(section.subarray(0, length), 24, 4)).toBeUndefined()
  }
  const many = section.slice()
  new DataView(many.buffer).setUint32(0, 2 ** 32 - 1, true)
  expect(decodeIndex(many, 24, 4)).toBeUndefined()
})

test.each([
  ['a', 'b', 'b'],
  ['apple', 'azure', 'az'],
  ['app', 'apple', 'appl'],
  ['debian/python3-a', 'debian/python3-django', 'debian/python3-d'],
])('between %s and %s stands %s', (before, after, expected) => {
  const key = bytes(`<${after}>`)
  expect(Buffer.from(separatorBetween(bytes(before), key, 1, key.length - 1)).toString()).toBe(expected)
})
