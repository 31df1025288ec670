import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { crc32 } from './checksum.js'

const reference: { buf(bytes: Uint8Array, seed?: number): number } = createRequire(import.meta.url)('crc-32')

test('equals the crc-32 package for every length, offset and seed tried', () => {
  const bytes = new Uint8Array(400).map((_, i) => (i * 167 + (i >> 3)) & 255)
  const view = new DataView(bytes.buffer)
  for (let length = 0; length < 200; length++) {
    for (const start of [0, 1, 7]) {
      const seed = (length * 2654435761) >>> 0
      expect(crc32(bytes, view, start, start + length, seed)).toBe(
        reference.buf(bytes.subarray(start, start + length), seed) >>> 0,
      )
    }
  }
})
