import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeyCodec, readHex, writeHex } from './key-codec.js'
import { readValueTag, taggedBytesMin, ValueWriter } from './value-codec.js'

test('hexadecimal numbers up to 2^53 come back', () => {
  const bytes = Buffer.alloc(16)
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      writeHex(bytes, 1, value, 14)
      expect(readHex(bytes, 1, 14)).toBe(value)
    }),
    { seed: 1 },
  )
  bytes.write('zz')
  expect(readHex(bytes, 0, 2)).toBe(-1)
})

test('keys are the prefix and 16 digits, different for different records', () => {
  const keys = new KeyCodec('user')
  const all = new Set(Array.from({ length: 20_000 }, (_, record) => keys.keyOf(record)))
  expect(all.size).toBe(20_000)
  expect(keys.keyOf(0)).toMatch(/^user[0-7][0-9a-f]{15}$/)
  expect(keys.keyBytes).toBe(20)
})

test('a tag comes back, and any damaged byte is noticed', () => {
  const writer = new ValueWriter(100, true, 1)
  const bytes = Buffer.alloc(120)
  writer.write(bytes, 10, 123_456_789, 42)
  const tag = { record: 0, sequence: 0 }
  expect(readValueTag(bytes, 10, 110, tag)).toBe(true)
  expect(tag).toEqual({ record: 123_456_789, sequence: 42 })
  expect(bytes.toString('latin1', 10, 110)).toMatch(/^[\w:-]+$/)
  for (let i = 10; i < 110; i++) {
    bytes[i]! ^= 1
    expect(readValueTag(bytes, 10, 110, tag), `byte ${i}`).toBe(false)
    bytes[i]! ^= 1
  }
  expect(readValueTag(bytes, 10, 109, tag)).toBe(false)
})

test('the smallest verifiable value works, a smaller one is refused', () => {
  const bytes = Buffer.alloc(taggedBytesMin)
  new ValueWriter(taggedBytesMin, true, 1).write(bytes, 0, 7, 1)
  expect(readValueTag(bytes, 0, taggedBytesMin, { record: 0, sequence: 0 })).toBe(true)
  expect(() => new ValueWriter(taggedBytesMin - 1, true, 1)).toThrow(/at least 41 bytes, not 40/)
})

test('filler shrinks to about half, also next to other values', () => {
  const writer = new ValueWriter(1000, false, 1)
  const bytes = Buffer.alloc(64_000)
  for (let at = 0; at < bytes.length; at += 1000) writer.write(bytes, at, 0, 0)
  // deflate also squeezes the 64-letter alphabet to 6 of 8 bits; LZ4 does not.
  const ratio = deflateRawSync(bytes).length / bytes.length
  expect(ratio).toBeGreaterThan(0.35)
  expect(ratio).toBeLessThan(0.55)
})
