import { expect, test } from 'vitest'
import { keysWithin, scanRange } from './scan-range.js'
import { type KeyRange, keyBytesMax } from './store.js'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const within = (range: KeyRange) => keysWithin(scanRange(range))

test('bounds fold into one interval of keys', () => {
  expect(within({})).toEqual({ lower: Uint8Array.of(0), upper: undefined })
  expect(within({ gte: bytes('b'), gt: bytes('a'), lt: bytes('e'), lte: bytes('d') })).toEqual({
    lower: bytes('b'),
    upper: bytes('d\0'),
  })
  expect(within({ prefix: bytes('b'), lt: bytes('z') })).toEqual({ lower: bytes('b'), upper: bytes('c') })
})

test('an interval without a key is none', () => {
  for (const range of [
    { gte: bytes('b'), lt: bytes('b') },
    { gt: bytes('b'), lt: bytes('b\0') },
    { lt: new Uint8Array(0) },
    { lt: Uint8Array.of(0) },
    { gt: new Uint8Array(keyBytesMax + 1).fill(255) },
  ])
    expect(within(range)).toBeUndefined()
})

test('bounds longer than keys part the keys in the same way', () => {
  const longest = new Uint8Array(keyBytesMax).fill(5)
  const after = new Uint8Array(keyBytesMax).fill(5)
  after[keyBytesMax - 1] = 6
  expect(within({ gt: longest })).toEqual({ lower: after, upper: undefined })
  expect(within({ lte: longest })).toEqual({ lower: Uint8Array.of(0), upper: after })
  expect(within({ lt: new Uint8Array(keyBytesMax + 9).fill(255) })).toEqual({
    lower: Uint8Array.of(0),
    upper: undefined,
  })
})
