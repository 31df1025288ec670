import { expect, test } from 'vitest'
import { type FailFigures, failures, parseFailIf } from './fail-if.js'

const figures: FailFigures = {
  percentileUs: (operation, percentile) => (operation === 'scan' ? undefined : percentile * 100),
  maxUs: () => 2_000_000,
  operations: 990,
  errors: 10,
  opsPerSec: 50_000,
}
const holds = (text: string) => failures([parseFailIf(text)], figures).length > 0

test.each([
  ['p99>10ms', false],
  ['p99>9ms', true],
  ['p99 > 9899us', true],
  ['p99>=9900us', true],
  ['p99.9>9.98ms', true],
  ['read.p50<=5ms', true],
  ['read-modify-write.p50>1s', false],
  ['max>1s', true],
  ['max>2s', false],
  ['errors>0', true],
  ['errors>10', false],
  ['errors>=1%', true],
  ['errors>1%', false],
  ['ops/s<50K', false],
  ['ops/s<50.1K', true],
  ['ops/s<1M', true],
])('%s: %s', (text, expected) => {
  expect(holds(text)).toBe(expected)
})

test('the sentence names the condition and the figure', () => {
  expect(failures([parseFailIf('read.p99>9ms'), parseFailIf('errors>0')], figures)).toEqual([
    'failed: read.p99>9ms: read p99 is 9.90 ms',
    'failed: errors>0: errors are 10',
  ])
})

test('an operation that never succeeded fails a condition on it', () => {
  expect(failures([parseFailIf('scan.p99<1s')], figures)).toEqual(['failed: scan.p99<1s: no scan succeeded'])
})

test.each([
  'p99',
  'p99>',
  'p99>10',
  'p99>10Hz',
  'q99>1ms',
  'p999>1ms',
  'read.errors>0',
  'errors>1ms',
  'ops/s<5ms',
  'p99=1ms',
  '',
  'max>-1ms',
])('refuses %j with the grammar', (text) => {
  expect(() => parseFailIf(text)).toThrow(/--fail-if/)
})
