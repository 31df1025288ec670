import { expect, test } from 'vitest'
import { hashKey } from './key-hash.js'

test.each([
  ['', 0x00000000],
  ['a', 0x3c2569b2],
  ['abc', 0xb3dd93fa],
  ['abcd', 0x43ed676a],
  ['Hello, world!', 0xc0363e43],
  ['The quick brown fox jumps over the lazy dog', 0x2e4ff723],
])('MurmurHash3 of %j is the published one, wherever the bytes lie', (text, expected) => {
  const bytes = Buffer.from(`--${text}--`)
  expect(hashKey(bytes, 2, bytes.length - 2)).toBe(expected)
})
