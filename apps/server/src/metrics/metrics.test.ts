import { describe, expect, test } from 'vitest'
import { storeMetric } from './node-metrics.js'
import { notReadyReasons } from './readiness.js'

test.each([
  ['lsm.level0.tables', 3, 'caskade_store_lsm_level0_tables', 3],
  ['lsm.pausedMs', 1500, 'caskade_store_lsm_paused_seconds', 1.5],
  ['lsm.cacheBytes', 10, 'caskade_store_lsm_cache_bytes', 10],
  ['lsm.flush.count', 1, 'caskade_store_lsm_flush', 1],
])('the figure %s is a metric Prometheus takes', (detail, figure, name, value) => {
  expect(storeMetric(detail, figure)).toEqual({ name, value })
})

describe('readiness', () => {
  const good = { phase: 'running', storeReadOnlyReason: undefined, loopDelayP99Ms: 20 } as const
  test('is lost while starting and stopping, on a read-only store and on a late event loop', () => {
    expect(notReadyReasons(good)).toEqual([])
    expect(notReadyReasons({ ...good, phase: 'draining' })).toEqual(['the node is draining'])
    expect(
      notReadyReasons({ ...good, phase: 'starting', storeReadOnlyReason: 'disk full', loopDelayP99Ms: 900 }),
    ).toEqual([
      'the node is starting',
      'the store takes no writes: disk full',
      'the event loop is 900 ms late (limit 500 ms)',
    ])
  })
})
