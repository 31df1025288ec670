import { expect, test } from 'vitest'
import { mergeDelayPerMiB } from './throttle-policy.js'

const dataFileBytes = 100
const delay = (bytes: number, live: number) => mergeDelayPerMiB({ bytes, live, dataFileBytes })

test('nobody waits while merges keep up, nor in a store of a few files', () => {
  expect(delay(0, 0)).toBe(0)
  expect(delay(5 * dataFileBytes, 10)).toBe(0)
  expect(delay(12_800, 10_000)).toBe(0)
})

test('the delay grows with what waits for a merge, to a bound', () => {
  const delays = [16_000, 18_000, 20_000, 25_000, 100_000].map((bytes) => delay(bytes, 10_000))
  expect(delays).toEqual(delays.toSorted((a, b) => a - b))
  expect(delays[0]).toBeGreaterThan(0)
  expect(delays.at(-1)).toBe(40)
})
