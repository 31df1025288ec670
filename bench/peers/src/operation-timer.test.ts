import { expect, test } from 'vitest'
import { OperationTimer, percentiles } from './operation-timer.js'

test('percentiles are samples that so many do not exceed', () => {
  const thousand = Float64Array.from({ length: 1000 }, (_, i) => 1000 - i)
  expect(percentiles(thousand)).toEqual({ p50Us: 500, p99Us: 990, p999Us: 999 })
  expect(percentiles(Float64Array.of(7))).toEqual({ p50Us: 7, p99Us: 7, p999Us: 7 })
  expect(percentiles(new Float64Array(0))).toEqual({ p50Us: 0, p99Us: 0, p999Us: 0 })
})

/** Runs operations of 1 ms, but for the one numbered `slow`, on a clock of their own. */
function run(operations: number, slow: number, slowMs: number) {
  let now = 0
  let timed = 0
  const timer = new OperationTimer(() => now)
  for (let i = 0; i < operations; i++) {
    const due = timer.due()
    const begun = due ? timer.begin() : 0
    now += i === slow ? slowMs : 1
    if (due) {
      timed++
      timer.end(begun)
    }
  }
  timer.mark()
  return { ...timer.latencies(), timed }
}

test('the longest stall shows wherever it falls, and is overstated by less than 32 operations', () => {
  for (let slow = 0; slow < 100; slow++) {
    const { maxUs } = run(100, slow, 500)
    expect(maxUs).toBeGreaterThanOrEqual(500_000)
    expect(maxUs).toBeLessThan(532_000)
  }
})

test('one operation in 16 is timed, in no fixed step', () => {
  const { timed, p50Us } = run(160_000, -1, 0)
  expect(timed).toBeGreaterThan(9_000)
  expect(timed).toBeLessThan(11_000)
  expect(p50Us).toBe(1000)
})

test('percentiles are of all samples, however many', () => {
  let now = 0
  const timer = new OperationTimer(() => now)
  const samples = 100_000
  for (let i = 0; i < samples; i++) {
    const begun = timer.begin()
    now += i < 0.6 * samples ? 1 : 3
    timer.end(begun)
  }
  expect(timer.latencies()).toEqual({ p50Us: 1000, p99Us: 3000, p999Us: 3000, maxUs: 3000 })
})

test('of many in flight the slowest is the longest stall', () => {
  let now = 0
  const timer = new OperationTimer(() => now)
  const begun = timer.begin()
  for (let i = 0; i < 10; i++) {
    now += 5
    timer.mark()
  }
  timer.endOfMany(begun)
  expect(timer.latencies()).toEqual({ p50Us: 50_000, p99Us: 50_000, p999Us: 50_000, maxUs: 50_000 })
})
