import { expect, test } from 'vitest'
import { Random } from './random.js'

const take = (random: Random, count: number) => Array.from({ length: count }, () => random.nextUint32())

test('a seed and a stream give the same numbers again, others give others', () => {
  expect(take(new Random(7, 3), 100)).toEqual(take(new Random(7, 3), 100))
  expect(take(new Random(7, 3), 4)).not.toEqual(take(new Random(7, 4), 4))
  expect(take(new Random(7, 3), 4)).not.toEqual(take(new Random(8, 3), 4))
  expect(take(new Random(7 + 2 ** 40, 3), 4)).not.toEqual(take(new Random(7, 3), 4))
})

test('the stream is the same on every machine and in every version', () => {
  expect(take(new Random(1), 4)).toEqual([3489177841, 3014799513, 2877886430, 2681372995])
})

test('below() is uniform and stays below', () => {
  const random = new Random(1)
  const counts = new Array<number>(10).fill(0)
  for (let i = 0; i < 100_000; i++) counts[random.below(10)]!++
  const chiSquare = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0)
  // 9 degrees of freedom: above 33.7 once in ten thousand.
  expect(chiSquare).toBeLessThan(33.7)
})
