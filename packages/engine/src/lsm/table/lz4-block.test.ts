import fc from 'fast-check'
import { compressSync } from 'lz4-napi'
import { expect, test } from 'vitest'
import { viewOf } from '../../bytes.js'
import { BlockDecoder, claimedSize } from './lz4-block.js'

/** Guard bytes lie on both sides of source and target: none may change. */
function decompress(stored: Uint8Array, size: number): Uint8Array | undefined {
  const source = Buffer.concat([Buffer.alloc(8, 0xee), stored, Buffer.alloc(8, 0xee)])
  const target = Buffer.alloc(size + 16, 0xdd)
  const end = 8 + stored.length
  const decoder = new BlockDecoder()
  decoder.begin(source, viewOf(source), 8, end, target, viewOf(target), size)
  const fine = decoder.finish()
  expect(target.subarray(size).every((byte) => byte === 0xdd)).toBe(true)
  return fine ? target.subarray(0, size) : undefined
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

test('gives back what lz4-napi compressed, and nothing for any other size', () => {
  fc.assert(
    fc.property(content, (bytes) => {
      const stored = compressSync(bytes)
      expect(claimedSize(viewOf(stored), 0, stored.length, 1 << 20)).toBe(bytes.length)
      expect(decompress(stored.subarray(4), bytes.length)).toEqual(bytes)
      expect(decompress(stored.subarray(4), bytes.length - 1)).toBeUndefined()
      expect(decompress(stored.subarray(4), bytes.length + 1)).toBeUndefined()
    }),
    { numRuns: 300 },
  )
})

test('stops at the first whole piece behind what is asked for, and goes on from there', () => {
  fc.assert(
    fc.property(content, fc.array(fc.nat(2000)), (bytes, stops) => {
      const stored = compressSync(bytes)
      const target = Buffer.alloc(bytes.length)
      const decoder = new BlockDecoder()
      decoder.begin(stored, viewOf(stored), 4, stored.length, target, viewOf(target), bytes.length)
      for (const stop of stops.filter((stop) => stop <= bytes.length)) {
        expect(decoder.advance(stop)).toBe(true)
        expect(decoder.decoded).toBeGreaterThanOrEqual(stop)
        expect(target.subarray(0, decoder.decoded)).toEqual(bytes.subarray(0, decoder.decoded))
      }
      expect(decoder.finish()).toBe(true)
      expect(target).toEqual(bytes)
    }),
    { numRuns: 300 },
  )
})

test('any bytes end in a refusal or in exactly the size asked for, within both ranges', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(300), (bytes, size) => {
      const result = decompress(bytes, size)
      if (result !== undefined) expect(result.length).toBe(size)
    }),
    { numRuns: 2000 },
  )
})

test.each([
  ['nothing', []],
  ['distance 0', [0x10, 0x61, 0x00, 0x00, 0x00]],
  ['a distance before the start', [0x10, 0x61, 0x02, 0x00, 0x00]],
  ['an endless literal run', [0xf0, ...new Array<number>(50).fill(0xff)]],
  ['an endless match', [0x1f, 0x61, 0x01, 0x00, ...new Array<number>(50).fill(0xff)]],
  ['half a distance', [0x10, 0x61, 0x01]],
])('refuses %s', (_, bytes) => {
  expect(decompress(Uint8Array.from(bytes), 64)).toBeUndefined()
})

test('a size that the stored bytes cannot give, or beyond the bound, is refused', () => {
  const stored = viewOf(Buffer.from([0, 16, 0, 0, 1, 2, 3]))
  expect(claimedSize(stored, 0, 7, 1 << 20)).toBeUndefined()
  expect(claimedSize(viewOf(Buffer.from([0, 1, 0, 0, ...new Array<number>(40).fill(1)])), 0, 44, 255)).toBeUndefined()
  expect(claimedSize(viewOf(Buffer.from([0, 1, 0, 0, ...new Array<number>(40).fill(1)])), 0, 44, 256)).toBe(256)
})
