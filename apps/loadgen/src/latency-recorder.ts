import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
  initWebAssemblySync,
} from 'hdr-histogram-js'
import { operationNames } from './workload.js'

/** Three significant digits from 100 ns to an hour, in nanoseconds: about 220 KiB each. */
const range = {
  bitBucketSize: 64,
  autoResize: false,
  lowestDiscernibleValue: 100,
  highestTrackableValue: 3_600_000_000_000,
  numberOfSignificantValueDigits: 3,
} as const

/** Longest latency that can be told from a longer one. */
const latencyNsMax = range.highestTrackableValue

/** WebAssembly: about 30 ns per recorded value, a fifth of the JavaScript body. */
function histogram(): Histogram {
  initWebAssemblySync()
  return build({ ...range, useWebAssembly: true })
}

/** What happened since the last `tick`. */
export interface IntervalFigures {
  count: number
  p50Ns: number
  p99Ns: number
  maxNs: number
}

/**
 * Latencies per operation kind. A value goes into the histogram of the current interval, and from there to the total on
 * each tick, so that recording costs one histogram update, not two.
 */
export class LatencyRecorder {
  readonly #interval = operationNames.map(histogram)
  readonly #total = operationNames.map(histogram)
  readonly #warmUp = histogram()
  readonly #scratch = histogram()

  /** @param warmUp counts for the live line only. */
  record(kind: number, latencyMs: number, warmUp: boolean): void {
    const ns = Math.min(latencyNsMax, Math.max(0, Math.round(latencyMs * 1e6)))
    if (warmUp) this.#warmUp.recordValue(ns)
    else this.#interval[kind]!.recordValue(ns)
  }

  tick(): IntervalFigures {
    const all = this.#scratch
    all.reset()
    for (const [kind, interval] of this.#interval.entries()) {
      if (interval.totalCount === 0) continue
      all.add(interval)
      this.#total[kind]!.add(interval)
      interval.reset()
    }
    if (this.#warmUp.totalCount > 0) all.add(this.#warmUp)
    this.#warmUp.reset()
    return {
      count: all.totalCount,
      p50Ns: all.getValueAtPercentile(50),
      p99Ns: all.getValueAtPercentile(99),
      maxNs: all.totalCount > 0 ? all.maxValue : 0,
    }
  }

  /** Everything up to the last tick, for each kind that occurred, and `all`. The warm-up is not in it. */
  latencies(): Map<string, LatencyDistribution> {
    const all = histogram()
    const byName = new Map<string, LatencyDistribution>([['all', new LatencyDistribution(all)]])
    for (const [kind, total] of this.#total.entries()) {
      if (total.totalCount === 0) continue
      all.add(total)
      byName.set(operationNames[kind]!, new LatencyDistribution(total))
    }
    return byName
  }

  /** The histograms live outside the garbage collector's reach. Distributions taken before are unusable afterwards. */
  close(): void {
    for (const each of [...this.#interval, ...this.#total, this.#warmUp, this.#scratch]) each.destroy()
  }
}

/** One finished histogram, in microseconds. */
export class LatencyDistribution {
  readonly #histogram: Histogram

  constructor(of: Histogram) {
    this.#histogram = of
  }

  get count(): number {
    return this.#histogram.totalCount
  }

  get meanUs(): number {
    return this.count === 0 ? 0 : this.#histogram.mean / 1000
  }

  get maxUs(): number {
    return this.count === 0 ? 0 : this.#histogram.maxValue / 1000
  }

  /** @param percentile 0 to 100. Never above the maximum, though a bucket's upper end may be. */
  percentileUs(percentile: number): number {
    return this.count === 0 ? 0 : Math.min(this.maxUs, this.#histogram.getValueAtPercentile(percentile) / 1000)
  }

  /**
   * HdrHistogram's percentile distribution text, in milliseconds. Written by the JavaScript body: the WebAssembly one drops zeros
   * after the decimal point (1.005 becomes 1.500).
   */
  percentileText(): string {
    const encoded = encodeIntoCompressedBase64(this.#histogram)
    return decodeFromCompressedBase64(encoded, 64, false).outputPercentileDistribution(5, 1e6)
  }
}
