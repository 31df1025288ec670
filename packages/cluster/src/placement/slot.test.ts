import { expect, test } from 'vitest'
import { checkPartitions, crc16, partitionOfSlot, slotOf, slots } from './slot.js'

const slotOfText = (text: string) => {
  const padded = Buffer.from(`<${text}>`)
  return slotOf(padded, 1, padded.length - 1)
}

// From the Redis Cluster specification, and `CLUSTER KEYSLOT` of a Redis 7.
test('slots are those of Redis Cluster', () => {
  expect(crc16(Buffer.from('123456789'), 0, 9)).toBe(0x31c3)
  expect(['foo', 'bar', 'hello', '', 'a'].map(slotOfText)).toEqual([12182, 5061, 866, 0, 15495])
})

test('a tag decides, if there is one', () => {
  expect(slotOfText('{user1000}.following')).toBe(slotOfText('{user1000}.followers'))
  expect(slotOfText('{user1000}.following')).toBe(slotOfText('user1000'))
  expect(slotOfText('foo{}{bar}'), 'an empty tag is none').toBe(crc16(Buffer.from('foo{}{bar}'), 0, 10) % slots)
  expect(slotOfText('foo{{bar}}zap')).toBe(slotOfText('{bar'))
  expect(slotOfText('foo{bar}{zap}')).toBe(slotOfText('bar'))
  expect(slotOfText('open{end')).toBe(crc16(Buffer.from('open{end'), 0, 8) % slots)
})

test('a tag does not reach beyond the key', () => {
  const bytes = Buffer.from('{ab}')
  expect(slotOf(bytes, 0, 3)).toBe(crc16(bytes, 0, 3) % slots)
})

test('partitions are equal runs of slots', () => {
  expect([0, 15, 16, 16_383].map((slot) => partitionOfSlot(slot, 1024))).toEqual([0, 0, 1, 1023])
  expect([0, 8191, 8192, 16_383].map((slot) => partitionOfSlot(slot, 2))).toEqual([0, 0, 1, 1])
  expect(partitionOfSlot(16_383, slots)).toBe(16_383)
  for (const partitions of [0, 3, 1000, 2 * slots, 1.5, Number.NaN]) expect(() => checkPartitions(partitions)).toThrow()
})
