import { expect, test } from 'vitest'
import { keyBytes, writeKey } from './key-bytes.js'

const key = (i: number) => {
  const bytes = Buffer.alloc(keyBytes + 2, '.')
  writeKey(bytes, 1, i)
  expect([bytes[0], bytes[keyBytes + 1]]).toEqual([0x2e, 0x2e])
  return bytes.toString('latin1', 1, keyBytes + 1)
}

test('keys are distinct text of 20 bytes, the same in every run', () => {
  const keys = Array.from({ length: 10_000 }, (_, i) => key(i))
  for (const each of keys) expect(each).toMatch(/^[0-9a-f]{16}user$/)
  expect(new Set(keys).size).toBe(10_000)
  expect(key(1)).toBe(key(1))
  expect(key(2 ** 32 - 1)).not.toBe(key(2 ** 31))
})

test('neighbours do not lie together', () => {
  const sorted = Array.from({ length: 1000 }, (_, i) => ({ i, key: key(i) })).sort((a, b) => (a.key < b.key ? -1 : 1))
  const together = sorted.filter(({ i }, at) => at > 0 && Math.abs(i - sorted[at - 1]!.i) === 1).length
  expect(together).toBeLessThan(20)
})
