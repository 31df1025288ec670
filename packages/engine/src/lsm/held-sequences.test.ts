import { expect, test } from 'vitest'
import { HeldSequences } from './held-sequences.js'

test('held moments are told in order, each once, until nobody holds them', () => {
  const held = new HeldSequences()
  expect([held.sequences, held.oldest]).toEqual([[], Infinity])
  const releases = [3, 5, 9, 5].map((sequence) => held.hold(sequence))
  const before = held.sequences
  expect([before, held.oldest]).toEqual([[3, 5, 9], 3])
  releases[1]!()
  releases[1]!()
  expect(held.sequences).toEqual([3, 5, 9])
  releases[3]!()
  expect(held.sequences).toEqual([3, 9])
  releases[0]!()
  expect([held.sequences, held.oldest]).toEqual([[9], 9])
  expect(before).toEqual([3, 5, 9])
})
