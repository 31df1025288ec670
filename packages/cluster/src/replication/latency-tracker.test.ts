import { expect, test } from 'vitest'
import { LatencyTracker } from './latency-tracker.js'

test('the p95 is within a fifth of the true one, and follows what is recent', () => {
  const tracker = new LatencyTracker()
  expect(tracker.p95Ms).toBe(0)
  for (let i = 0; i < 2000; i++) tracker.record(i % 100 < 94 ? 1 : 50)
  expect(tracker.p95Ms).toBeGreaterThanOrEqual(50)
  expect(tracker.p95Ms).toBeLessThan(60)
  for (let i = 0; i < 10_000; i++) tracker.record(3)
  expect(tracker.p95Ms).toBeGreaterThanOrEqual(3)
  expect(tracker.p95Ms).toBeLessThan(3.6)
})
