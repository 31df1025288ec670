import { expect, test } from 'vitest'
import { judge, largeBudgets } from './large-budgets.js'
import { slowestWindow } from './large-run.js'

test('the slowest window is the lowest mean of neighbours', () => {
  expect(slowestWindow([10, 1, 1, 10, 10], 2)).toBe(1)
  expect(slowestWindow([10, 4, 10, 10], 4)).toBe(9)
  expect(slowestWindow([10], 2)).toBeUndefined()
})

test('a budget is met by a figure below it, and missed without one', () => {
  const load = { bench: 'large-load', n: 1, maxUs: 99_999, rssBytes: 2 ** 31 }
  const get = { bench: 'large-get', n: 1, p99Us: 9999, rssBytes: 1 }
  const { met, missed } = judge([load, get], largeBudgets)
  expect(met).toEqual([
    'longest stall below 100 ms',
    'resident memory below 2 GiB while reading',
    'p99 of random gets below 10 ms',
  ])
  expect(missed).toEqual(['resident memory below 2 GiB while loading', 'reopened in less than 5 s'])
})
