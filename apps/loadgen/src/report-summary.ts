import type { LatencyDistribution } from './latency-recorder.js'
import type { PhaseResult, Sample } from './phase-run.js'

interface LatencySummary {
  n: number
  opsPerSec: number
  meanUs: number
  p50Us: number
  p90Us: number
  p99Us: number
  p999Us: number
  p9999Us: number
  maxUs: number
}

interface VerifySummary {
  checked: number
  violations: Record<string, number>
  violationCount: number
  examples: string[]
}

/** Everything the reports say of one phase: plain data. */
export interface PhaseSummary {
  bench: string
  subject: string
  phase: 'load' | 'run' | 'verify'
  outcome: PhaseResult['outcome']
  startedAt: string
  measuredMs: number
  /** `all` first, then each operation kind that occurred. */
  latencies: Record<string, LatencySummary>
  errorCount: number
  errors: Record<string, number>
  errorMessages: Record<string, string>
  absent: number
  disconnects: number
  /** Open loop only. */
  openLoop: { rate: number; late: number; unsent: number } | undefined
  verify: VerifySummary | undefined
  clientCpu: number
  settings: Record<string, string>
  samples: Sample[]
  /** Per name, [percentile, microseconds] for the plot. */
  curves: Record<string, [number, number][]>
}

export interface PhaseLabel {
  bench: string
  subject: string
  phase: PhaseSummary['phase']
  startedAt: string
  rate: number | undefined
  verified: boolean
  settings: Record<string, string>
}

export function summarize(label: PhaseLabel, result: PhaseResult): PhaseSummary {
  const { tally, measuredMs } = result
  const distributions = [...result.recorder.latencies()]
  const { rate, verified, ...labels } = label
  return {
    ...labels,
    outcome: result.outcome,
    measuredMs,
    latencies: Object.fromEntries(distributions.map(([name, each]) => [name, summarizeLatency(each, measuredMs)])),
    errorCount: tally.errorCount,
    errors: Object.fromEntries(tally.errors),
    errorMessages: Object.fromEntries(tally.errorMessages),
    absent: tally.absent,
    disconnects: tally.disconnects,
    openLoop: rate === undefined ? undefined : { rate, late: tally.late, unsent: result.unsent },
    verify: verified
      ? {
          checked: tally.verified,
          violations: Object.fromEntries(tally.violations),
          violationCount: tally.violationCount,
          examples: tally.violationExamples,
        }
      : undefined,
    clientCpu: result.clientCpu,
    samples: result.samples,
    curves: Object.fromEntries(distributions.map(([name, each]) => [name, percentileCurve(each)])),
  }
}

function summarizeLatency(latency: LatencyDistribution, measuredMs: number): LatencySummary {
  return {
    n: latency.count,
    opsPerSec: measuredMs > 0 ? Math.round((latency.count * 1000) / measuredMs) : 0,
    meanUs: round(latency.meanUs),
    p50Us: round(latency.percentileUs(50)),
    p90Us: round(latency.percentileUs(90)),
    p99Us: round(latency.percentileUs(99)),
    p999Us: round(latency.percentileUs(99.9)),
    p9999Us: round(latency.percentileUs(99.99)),
    maxUs: round(latency.maxUs),
  }
}

/** Percentiles in equal steps of log(1 / (1 - p)), as far as the number of values carries. */
function percentileCurve(latency: LatencyDistribution): [number, number][] {
  const points: [number, number][] = []
  const stepsPerDecade = 20
  const steps = Math.floor(Math.log10(Math.max(1, latency.count)) * stepsPerDecade)
  for (let step = 0; step <= steps; step++) {
    const percentile = 100 * (1 - 10 ** (-step / stepsPerDecade))
    points.push([percentile, round(latency.percentileUs(percentile))])
  }
  return points
}

const round = (us: number) => Math.round(us * 10) / 10
