import { expect, test } from 'vitest'
import type { PhaseSummary } from './report-summary.js'
import { compareStores, ratioText } from './store-comparison.js'

const summary = (subject: string, phase: 'load' | 'run', opsPerSec: number, p99Us: number) =>
  ({ bench: 'ycsb-a', subject, phase, latencies: { all: { opsPerSec, p99Us } } }) as unknown as PhaseSummary

test('each phase of a later run is set against the same phase of the first', () => {
  const ratios = compareStores([
    [summary('caskade-lsm', 'load', 100, 10), summary('caskade-lsm', 'run', 200, 40)],
    [summary('caskade-bitcask', 'load', 50, 30), summary('caskade-bitcask', 'run', 300, 20)],
  ])
  expect(ratios).toEqual([
    { bench: 'ycsb-a', phase: 'load', subject: 'caskade-bitcask', bestPeer: 'caskade-lsm', ratio: 0.5, p99Ratio: 3 },
    { bench: 'ycsb-a', phase: 'run', subject: 'caskade-bitcask', bestPeer: 'caskade-lsm', ratio: 1.5, p99Ratio: 0.5 },
  ])
  expect(ratioText(ratios[1]!)).toBe('run: caskade-bitcask makes 1.50 x the operations of caskade-lsm, p99 0.50 x')
})

test('one run, or one that was cut short, is compared with nothing', () => {
  const whole = [summary('a', 'load', 1, 1), summary('a', 'run', 1, 1)]
  expect(compareStores([whole])).toEqual([])
  expect(compareStores([[whole[0]!], [summary('b', 'run', 1, 1)]])).toEqual([])
  expect(compareStores([whole, []])).toEqual([])
  expect(compareStores([])).toEqual([])
})
