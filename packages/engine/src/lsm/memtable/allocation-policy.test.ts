import { expect, test } from 'vitest'
import { firstAllocation, nextAllocation } from './allocation-policy.js'

const mebibyte = 1 << 20

function steps(capacity: number): number[] {
  const steps = [firstAllocation(capacity)]
  while (steps.at(-1)! < capacity) steps.push(nextAllocation(steps.at(-1)!, capacity, 0))
  return steps
}

test('a large segment: little at first, then twice as much each time', () => {
  const all = steps(64 * mebibyte)
  expect(all[0]).toBe(mebibyte / 4)
  expect(all.slice(0, 8).map((end) => end / mebibyte)).toEqual([0.25, 0.5, 1, 2, 4, 8, 16, 32])
  expect(all.at(-1)).toBe(64 * mebibyte)
})

test('a tiny one in few steps, and never more than it has', () => {
  expect(steps(16 << 10)).toEqual([8 << 10, 16 << 10])
  expect(steps(5000)).toEqual([5000])
})

test('a large record gets what it needs', () => {
  expect(nextAllocation(mebibyte, 64 * mebibyte, 40 * mebibyte)).toBe(40 * mebibyte)
  expect(nextAllocation(mebibyte, 64 * mebibyte, 80 * mebibyte)).toBe(64 * mebibyte)
})
