import { expect, test } from 'vitest'
import { WriteThrottle } from './write-throttle.js'

test('what is owed for a MiB is asked for in short pauses', () => {
  const waits: number[] = []
  const throttle = new WriteThrottle(
    256 << 10,
    () => ({ immutables: 5, level0Tables: 0 }), // 81 ms
    (ms) => waits.push(ms),
  )
  let written = 0
  for (; written < 8 << 20; written += 1000) if (throttle.isDue(written)) throttle.throttle(written)
  const total = waits.reduce((sum, ms) => sum + ms, 0)
  expect(total / 8).toBeGreaterThan(70)
  expect(total / 8).toBeLessThan(90)
  expect(throttle.stalls.longestMs).toBeLessThanOrEqual(25)
  expect(throttle.stalls.count).toBe(waits.length)
})

test('nothing is asked for while the background keeps up', () => {
  const throttle = new WriteThrottle(
    256 << 10,
    () => ({ immutables: 1, level0Tables: 8 }),
    () => expect.unreachable(),
  )
  for (let written = 0; written < 4 << 20; written += 1000) if (throttle.isDue(written)) throttle.throttle(written)
  expect(throttle.pause()).toBeUndefined()
  expect(throttle.stalls.count).toBe(0)
})

test('far behind, writers are slowed to what a slow disk takes, still in short pauses', () => {
  const throttle = new WriteThrottle(
    256 << 10,
    () => ({ immutables: 9, level0Tables: 0 }),
    () => {},
  )
  for (let written = 0; written < 4 << 20; written += 1000) if (throttle.isDue(written)) throttle.throttle(written)
  expect(throttle.stalls.totalMs / 4).toBeGreaterThan(800)
  expect(throttle.stalls.longestMs).toBeLessThanOrEqual(25)
})

test('no write waits long, however much is owed; a large one pays for its bytes; without debt nothing is owed', () => {
  const waits: number[] = []
  let immutables = 9
  const throttle = new WriteThrottle(
    256 << 10,
    () => ({ immutables, level0Tables: 0 }),
    (ms) => waits.push(ms),
  )
  let written = 256 << 10
  throttle.throttle(written)
  expect(waits).toEqual([25])
  for (let i = 0; i < 40; i++) {
    written += 100
    expect(throttle.isDue(written)).toBe(true)
    throttle.throttle(written)
    expect(waits.pop()).toBe(25)
  }
  written += 1 << 20
  throttle.throttle(written)
  expect(waits.at(-1)).toBeCloseTo(16 * 25, 0)
  immutables = 1
  written += 100
  throttle.throttle(written)
  expect(waits.length).toBe(2)
  expect(throttle.isDue(written + 100)).toBe(false)
  expect(throttle.pause()).toBeUndefined()
})
