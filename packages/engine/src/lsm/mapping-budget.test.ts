import { expect, test } from 'vitest'
import { MappingBudget } from './mapping-budget.js'

test('tables are mapped up to the budget, and others when they go', () => {
  const budget = new MappingBudget(800)
  expect(budget.take(1, 400, true)).toBe(true)
  expect(budget.take(2, 301, true)).toBe(false)
  expect(budget.take(3, 300, true)).toBe(true)
  // An eighth is kept for the levels above the last.
  expect(budget.take(4, 1, true)).toBe(false)
  expect(budget.take(5, 100, false)).toBe(true)
  expect(budget.take(6, 1, false)).toBe(false)
  budget.give(2)
  budget.give(1)
  budget.give(1)
  expect(budget.take(7, 401, false)).toBe(false)
  expect(budget.take(8, 400, false)).toBe(true)
})

test('what was given can be taken back', () => {
  const budget = new MappingBudget(800)
  expect(budget.take(1, 800, false)).toBe(true)
  const takeBack = budget.give(1)
  expect(budget.take(2, 500, false)).toBe(true)
  budget.give(2)
  takeBack()
  expect(budget.take(3, 1, false)).toBe(false)
  budget.give(1)
  expect(budget.take(4, 800, false)).toBe(true)
})
