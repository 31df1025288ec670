import { expect, test } from 'vitest'
import { KeyedHash } from './keyed-hash.js'

/** Of HalfSipHash-2-4-64, from the authors' reference implementation: key 00…07, inputs 00, 00 01, … from none to 16 bytes. */
const vectors = [
  '218d1f59b9b83cc8',
  'be552412f8387315',
  '064f39ef7c50eb57',
  'ce0f1a45f7060679',
  'd5e78a175be52ea1',
  'cb9d7c3f2f3db580',
  'ce3e91358aa2bc25',
  'ff202728b07bc684',
  'edfee820bce4858c',
  '5b51cccc13888307',
  '95b0469f06a6f2ee',
  'ae26333994ddcd48',
  '7bc71f9faef5c799',
  '5a2352d75a0c3744',
  '3bb1a870eae8e658',
  '217d0bcb4e81c902',
  '7336aad25f7bf3b5',
]

test.each([0, 5])('the reference vectors, from byte %i of a buffer on', (start) => {
  const key = Buffer.from('0001020304050607', 'hex')
  const hash = new KeyedHash([key.readUInt32LE(0), key.readUInt32LE(4)])
  const input = Uint8Array.from({ length: start + vectors.length }, (_, i) => i - start)
  for (const [length, expected] of vectors.entries()) {
    hash.update(input, start, start + length)
    const output = Buffer.alloc(8)
    output.writeUInt32LE(hash.low, 0)
    output.writeUInt32LE(hash.high, 4)
    expect(output.toString('hex'), `${length} bytes`).toBe(expected)
  }
})
