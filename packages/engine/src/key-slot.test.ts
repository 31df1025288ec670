import { expect, test } from 'vitest'
import { slotOfKey } from './key-slot.js'

const slot = (key: string) => {
  const bytes = Buffer.from(`<${key}>`)
  return slotOfKey(bytes, 1, bytes.length - 1)
}

// As `CLUSTER KEYSLOT` of Redis 7 answers.
test.each([
  ['123456789', 0x31c3],
  ['foo', 12182],
  ['somekey', 11058],
  ['a', 15495],
])('the slot of %s', (key, expected) => {
  expect(slot(key)).toBe(expected)
})

test('a tag that is not empty decides alone', () => {
  expect(slot('foo{hash_tag}')).toBe(2515)
  expect(slot('{user1000}.following')).toBe(slot('{user1000}.followers'))
  expect(slot('{user1000}.following')).toBe(slot('user1000'))
  expect(slot('foo{bar}{zap}')).toBe(slot('bar'))
  expect(slot('foo{{bar}}zap')).toBe(slot('{bar'))
})

test('an empty or open tag is no tag', () => {
  const whole = (key: string) => slot(key.replace('{', '[')) // another byte there: another slot
  for (const key of ['foo{}{bar}', 'foo{bar', '{}', '{']) expect(slot(key)).not.toBe(whole(key))
  expect(slot('foo{}{bar}')).toBe(8363)
})
