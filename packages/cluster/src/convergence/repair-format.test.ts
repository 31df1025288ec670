import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MalformedFrameError } from '../wire/malformed-frame-error.js'
import {
  decodeCompare,
  decodeCompared,
  decodeFetch,
  decodeFetched,
  decodeList,
  decodeListed,
  decodeRoundMessage,
  encodeCompare,
  encodeCompared,
  encodeFetch,
  encodeFetched,
  encodeList,
  encodeListed,
  encodeRoundMessage,
} from './repair-format.js'

const header = { from: 3, to: 4, partition: 517, since: 9 }
const pull = { ...header, n: 3, ask: 77 }
const key = Uint8Array.of(0, 1, 0x6b)
const record = Uint8Array.of(0xc1, 1, 2)

const cases = [
  {
    message: { ...pull, level: 1, indexes: [2, 15], hashes: Uint32Array.of(1, 2, 3, 0xffff_ffff) },
    encode: encodeCompare,
    decode: decodeCompare,
    golden: '030000000400000005020900000000000000034d00000001020002000f00010000000200000003000000ffffffff',
  },
  {
    message: { ...pull, status: 0, differing: [15] },
    encode: encodeCompared,
    decode: decodeCompared,
    golden: '030000000400000005020900000000000000034d0000000001000f00',
  },
  {
    message: { ...pull, leaves: [4095], after: key, readable: false },
    encode: encodeList,
    decode: decodeList,
    golden: '030000000400000005020900000000000000034d00000001030000016b0100ff0f',
  },
  {
    message: { ...pull, leaves: undefined, after: undefined, readable: true },
    encode: encodeList,
    decode: decodeList,
    golden: '030000000400000005020900000000000000034d0000000600000000',
  },
  {
    message: {
      ...pull,
      status: 0,
      isLast: true,
      upTo: key,
      keys: [{ key, high: 1, low: 2 }],
      records: [{ key, record }],
    },
    encode: encodeListed,
    decode: decodeListed,
    golden:
      '030000000400000005020900000000000000034d0000000001030000016b0100030000016b01000000020000000100030000016b03000000c10102',
  },
  {
    message: { ...pull, keys: [key] },
    encode: encodeFetch,
    decode: decodeFetch,
    golden: '030000000400000005020900000000000000034d0000000100030000016b',
  },
  {
    message: { ...pull, status: 6, looked: 2, records: [{ key, record }] },
    encode: encodeFetched,
    decode: decodeFetched,
    golden: '030000000400000005020900000000000000034d0000000602000100030000016b03000000c10102',
  },
  {
    message: { ...header, throughMs: 1_700_000_000_000, status: 7 },
    encode: encodeRoundMessage,
    decode: decodeRoundMessage,
    golden: '0300000004000000050209000000000000000068e5cf8b01000007',
  },
]

test.each(cases)('golden %#: $golden', ({ message, encode, decode, golden }) => {
  const bytes = (encode as (message: unknown) => Uint8Array)(message)
  expect(Buffer.from(bytes).toString('hex')).toBe(golden)
  expect(decode(new Uint8Array(bytes))).toEqual(message)
})

test('what is cut short, or too long, is refused', () => {
  for (const { encode, decode, message } of cases) {
    const bytes = new Uint8Array((encode as (message: unknown) => Uint8Array)(message))
    for (let size = 0; size < bytes.length; size++)
      expect(() => decode(bytes.subarray(0, size)), `${size} of ${bytes.length}`).toThrow(MalformedFrameError)
    expect(() => decode(Buffer.concat([bytes, Buffer.of(0)]))).toThrow(MalformedFrameError)
  }
})

test('any bytes at all are read or refused', () => {
  fc.assert(
    fc.property(fc.constantFrom(...cases), fc.uint8Array({ maxLength: 100 }), ({ decode }, bytes) => {
      try {
        decode(bytes)
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedFrameError)
      }
    }),
  )
})
