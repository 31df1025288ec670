import { monitorEventLoopDelay } from 'node:perf_hooks'

/** How late the event loop ran its timers, over the last whole window. */
export interface LoopDelay {
  /** Milliseconds. */
  readonly p99Ms: number
  readonly maxMs: number
  stop(): void
}

const resolutionMs = 20

/**
 * Watches the event loop in windows of `windowMs`: what lies further back says nothing about now. The measure includes the
 * monitor's own sleep, which is taken off.
 */
export function watchLoopDelay(windowMs = 5000): LoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs })
  histogram.enable()
  let p99Ms = 0
  let maxMs = 0
  const inMs = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - resolutionMs)
  const timer = setInterval(() => {
    if (histogram.count === 0) return
    p99Ms = inMs(histogram.percentile(99))
    maxMs = inMs(histogram.max)
    histogram.reset()
  }, windowMs)
  timer.unref()
  return {
    get p99Ms() {
      return p99Ms
    },
    get maxMs() {
      return maxMs
    },
    stop() {
      clearInterval(timer)
      histogram.disable()
    },
  }
}
