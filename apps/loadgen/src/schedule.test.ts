import { expect, test } from 'vitest'
import { Random } from './random.js'
import { backOffMs, closedLoop, dueCount, dueMs, openLoop, shareOf } from './schedule.js'

const times = { startMs: 1000, measureFromMs: 1100, stopMs: 2000 }
const never = Number.POSITIVE_INFINITY

test('closed loop: now, from the start to the stop', () => {
  const pacer = closedLoop(times)
  expect([pacer.intendedMs(0, 999), pacer.intendedMs(9, 1500), pacer.intendedMs(9, 2000)]).toEqual([never, 1500, never])
  expect([pacer.over(0, 1999), pacer.over(0, 2000)]).toEqual([false, true])
})

test('open loop: due times do not depend on when one looks', () => {
  const pacer = openLoop(times, 100, 1, 2)
  // 100 per second on two connections: this one is due at 1010, 1030, ...
  expect(pacer.intendedMs(0, 1009)).toBe(never)
  expect(pacer.intendedMs(0, 1010)).toBe(1010)
  expect(pacer.intendedMs(1, 1900)).toBe(1030)
  expect(pacer.intendedMs(49, 5000)).toBe(1990)
  expect(pacer.over(49, 5000)).toBe(false)
  expect(pacer.over(50, 1000)).toBe(true)
  expect(pacer.intendedMs(50, 5000)).toBe(never)
})

test('open loop: nothing is due before the phase begins, and it is not over either', () => {
  const pacer = openLoop({ startMs: never, measureFromMs: never, stopMs: never }, 100, 0, 1)
  expect(pacer.intendedMs(0, 1e9)).toBe(never)
  expect(pacer.over(0, 1e9)).toBe(false)
  const interrupted = openLoop({ startMs: never, measureFromMs: never, stopMs: 500 }, 100, 0, 1)
  expect([interrupted.over(0, 499), interrupted.over(0, 500)]).toEqual([false, true])
})

test('the connections together are due at the rate', () => {
  const all: number[] = []
  for (let index = 0; index < 3; index++) {
    const pacer = openLoop(times, 1000, index, 3)
    for (let sent = 0; !pacer.over(sent, 0); sent++) all.push(pacer.intendedMs(sent, 5000))
  }
  expect(all.sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => dueMs(1000, 1000, i)))
  expect(dueCount(times, 1000, 5000)).toBe(1000)
  expect(dueCount(times, 1000, 1500)).toBe(500)
  expect(dueCount(times, 1000, 900)).toBe(0)
})

test('what is due and what is sent agree to the last operation, whatever the clock reads', () => {
  const random = new Random(4)
  for (let i = 0; i < 2000; i++) {
    const startMs = random.nextFloat() * 1e6
    const phase = { startMs, measureFromMs: startMs, stopMs: startMs + 100 + random.below(3000) }
    const rate = 1 + random.below(1000)
    const pacer = openLoop(phase, rate, 0, 1)
    const due = dueCount(phase, rate, Number.MAX_VALUE)
    expect([pacer.over(due - 1, 0), pacer.over(due, 0)]).toEqual([false, true])
  }
})

test('shares add up', () => {
  expect([0, 1, 2].map((index) => shareOf(10, index, 3))).toEqual([4, 3, 3])
  expect(shareOf(never, 2, 3)).toBe(never)
})

test('back-off doubles from 10 ms to a second', () => {
  expect([0, 1, 5, 7, 100].map((attempt) => backOffMs(attempt, 1))).toEqual([10, 20, 320, 1000, 1000])
  expect(backOffMs(0, 0)).toBe(5)
})
