import { expect, test } from 'vitest'
import { scattered, uniformNumbers, zipfianNumbers } from './key-numbers.js'

test('scattered numbers are a permutation', () => {
  for (const bound of [1, 2, 1000, 50_000])
    expect(new Set(Array.from({ length: bound }, (_, i) => scattered(i, bound))).size).toBe(bound)
})

test('uniform numbers are even, and differ by seed', () => {
  const next = uniformNumbers(10)
  const counts = new Array<number>(10).fill(0)
  for (let i = 0; i < 100_000; i++) counts[next()]!++
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(600)
  expect(uniformNumbers(1e9, 2)()).not.toBe(uniformNumbers(1e9, 3)())
})

test('zipfian numbers: the first rank has about a tenth of a thousand keys’ draws', () => {
  const draws = 100_000
  const next = zipfianNumbers(1000, draws)
  const counts = new Map<number, number>()
  for (let i = 0; i < draws; i++) {
    const number = next()
    counts.set(number, (counts.get(number) ?? 0) + 1)
  }
  const sorted = [...counts.entries()].sort(([, a], [, b]) => b - a)
  expect(sorted[0]![0]).toBe(scattered(0, 1000))
  expect(sorted[0]![1] / draws).toBeGreaterThan(0.11)
  expect(sorted[0]![1] / draws).toBeLessThan(0.15)
  const first = next()
  for (let i = 1; i < draws; i++) next()
  expect(next()).toBe(first)
})
