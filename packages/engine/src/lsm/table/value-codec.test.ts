import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { compressSync } from 'lz4-napi'
import { expect, test } from 'vitest'
import { viewOf } from '../../bytes.js'
import { compressedValueBytesMax, ValueCompressor } from './value-compressor.js'
import { ValueDecoder } from './value-decoder.js'
import { dictionaryBytesMax, makeDictionary } from './value-dictionary.js'

const none = new Uint8Array(0)

/** Guard bytes lie on both sides of the source, and neither they nor the dictionary may change. */
function decode(dictionary: Uint8Array, stored: Uint8Array, size: number): Uint8Array | undefined {
  const source = Buffer.concat([Buffer.alloc(8, 0xee), stored, Buffer.alloc(8, 0xee)])
  const decoder = new ValueDecoder(dictionary)
  const fine = decoder.decode(source, viewOf(source), 8, 8 + stored.length, size)
  expect(Buffer.compare(decoder.bytes.subarray(0, dictionary.length), dictionary)).toBe(0)
  expect(source.subarray(0, 8).every((byte) => byte === 0xee)).toBe(true)
  return fine ? decoder.bytes.subarray(decoder.start, decoder.start + size) : undefined
}

/** From noise to long runs, with short and overlapping repeats. */
const content = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc
        .tuple(fc.uint8Array({ minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 200 }))
        .map(([unit, times]) => Uint8Array.from({ length: unit.length * times }, (_, i) => unit[i % unit.length]!)),
    ),
    { minLength: 1, maxLength: 12 },
  )
  .map((pieces) => Buffer.concat(pieces))
  .filter((bytes) => bytes.length > 0)

test('what is compressed comes back, and nothing for any other size', () => {
  fc.assert(
    fc.property(content, fc.array(content, { minLength: 1, maxLength: 6 }), (dictionary, values) => {
      const compressor = new ValueCompressor(dictionary)
      // Values are pieces of the dictionary too, so that some matches reach into it.
      for (const value of [...values, dictionary, ...values.map((one) => Buffer.concat([one, dictionary, one]))]) {
        const source = Buffer.concat([Buffer.alloc(3), value, Buffer.alloc(3)])
        const length = compressor.compress(source, 3, 3 + value.length)
        if (length === 0) continue
        expect(length).toBeLessThan(value.length * (7 / 8))
        const stored = Buffer.from(compressor.output.subarray(0, length))
        expect(Buffer.compare(decode(dictionary, stored, value.length)!, value)).toBe(0)
        expect(decode(dictionary, stored, value.length - 1)).toBeUndefined()
        expect(decode(dictionary, stored, value.length + 1)).toBeUndefined()
      }
    }),
    { numRuns: 200 },
  )
})

test('the decoder reads LZ4 blocks as lz4-napi writes them', () => {
  fc.assert(
    fc.property(content, (bytes) => {
      expect(Buffer.compare(decode(none, compressSync(bytes).subarray(4), bytes.length)!, bytes)).toBe(0)
    }),
    { numRuns: 300 },
  )
})

test('any bytes end in a refusal or in exactly the size asked for, within both ranges', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.uint8Array({ maxLength: 100 }), fc.nat(300), (d, bytes, size) => {
      const result = decode(d, bytes, size)
      if (result !== undefined) expect(result.length).toBe(size)
    }),
    { numRuns: 2000 },
  )
})

test.each([
  ['nothing', []],
  ['distance 0', [0x10, 0x61, 0x00, 0x00, 0x00]],
  ['a distance before the dictionary', [0x10, 0x61, 0x06, 0x00, 0x00]],
  ['an endless literal run', [0xf0, ...new Array<number>(50).fill(0xff)]],
  ['an endless match', [0x1f, 0x61, 0x01, 0x00, ...new Array<number>(50).fill(0xff)]],
  ['half a distance', [0x10, 0x61, 0x01]],
])('refuses %s', (_, bytes) => {
  expect(decode(Buffer.from('dict'), Uint8Array.from(bytes), 64)).toBeUndefined()
})

test('what does not pay is not compressed: noise, tiny values, values beyond the bound', () => {
  const compressor = new ValueCompressor(none)
  const noise = Buffer.concat(Array.from({ length: 100 }, (_, i) => createHash('sha512').update(String(i)).digest()))
  expect(compressor.compress(noise, 0, noise.length)).toBe(0)
  expect(compressor.compress(Buffer.from('aaaaaaa'), 0, 7)).toBe(0)
  const large = Buffer.alloc(compressedValueBytesMax + 1)
  expect(compressor.compress(large, 0, large.length)).toBe(0)
  expect(compressor.compress(large, 0, large.length - 1)).toBeGreaterThan(0)
})

test('one compressor serves values for ever: places of earlier values never match', () => {
  const compressor = new ValueCompressor(none)
  const stored: { bytes: Buffer; value: Buffer }[] = []
  // Past 2^30 bytes the places begin anew.
  const large = Buffer.alloc(compressedValueBytesMax)
  for (let i = 0; i < 1030; i++) {
    const value = i % 10 === 0 ? Buffer.from(`value ${i} `.repeat(8)) : large
    const length = compressor.compress(value, 0, value.length)
    if (i % 10 === 0) stored.push({ bytes: Buffer.from(compressor.output.subarray(0, length)), value })
  }
  for (const { bytes, value } of stored) expect(Buffer.compare(decode(none, bytes, value.length)!, value)).toBe(0)
})

test('a dictionary is a bounded share of what it is made of', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 3000 }), { maxLength: 100 }), (values) => {
      const sampled = values.reduce((sum, value) => sum + value.length, 0)
      const dictionary = makeDictionary(values)
      expect(dictionary.length).toBeLessThanOrEqual(Math.min(dictionaryBytesMax, sampled / 8))
    }),
  )
  const names = Array.from({ length: 2000 }, (_, i) => Buffer.from(`value number ${i}`))
  const dictionary = Buffer.from(makeDictionary(names)).toString()
  expect(dictionary).toContain('value number 3')
  expect(dictionary).toContain('value number 19')
})
