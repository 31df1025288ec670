import { expect, test } from 'vitest'
import { growthOf, median } from './growth.js'

const series = (count: number, value: (i: number) => number) =>
  Array.from({ length: count }, (_, seconds) => ({ seconds, value: value(seconds) }))

test('median', () => {
  expect([median([]), median([3]), median([1, 9]), median([5, 1, 100])]).toEqual([0, 3, 5, 5])
})

test('a straight line grows by what it grows', () => {
  const { median, grown } = growthOf(series(1001, (i) => 50 + 2 * i))
  expect(median).toBe(1050)
  expect(grown).toBeCloseTo(2000, 6)
})

test('a saw-tooth and single peaks do not count as growth', () => {
  const { grown } = growthOf(series(1800, (i) => 1000 + (i % 37) * 10 + (i % 101 === 0 ? 5000 : 0)))
  expect(Math.abs(grown)).toBeLessThan(20)
})

test('a leak under a saw-tooth does', () => {
  const { grown } = growthOf(series(1800, (i) => 1000 + (i % 37) * 10 + i * 0.5))
  expect(grown).toBeGreaterThan(850)
  expect(grown).toBeLessThan(950)
})

test('few samples, or none, have no trend', () => {
  expect(growthOf([])).toEqual({ median: 0, grown: 0 })
  expect(growthOf([{ seconds: 1, value: 7 }])).toEqual({ median: 7, grown: 0 })
})
