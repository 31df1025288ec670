import type { PhaseSummary } from './report-summary.js'
import { formatUs } from './report-text.js'

/** A condition that fails a run, such as `p99>10ms`. */
export interface FailCondition {
  text: string
  /** The figure, in words, when the condition holds; undefined when it does not. */
  failure: (figures: FailFigures) => string | undefined
}

export interface FailFigures {
  /** @param operation kind or `all`. Undefined: no such operation ran. */
  percentileUs: (operation: string, percentile: number) => number | undefined
  maxUs: (operation: string) => number | undefined
  operations: number
  errors: number
  opsPerSec: number
}

const latencyUnitsUs: Record<string, number> = { ns: 0.001, us: 1, µs: 1, ms: 1000, s: 1_000_000 }
const rateUnits: Record<string, number> = { '': 1, k: 1000, m: 1_000_000 }

const compare: Record<string, (left: number, right: number) => boolean> = {
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
}

const grammar =
  'expected METRIC OP VALUE: p50..p99.99 or max with ns, us, ms or s, optionally of one operation (p99>10ms, read.p99.9>=2ms, max>1s); errors, a count or a share (errors>0, errors>0.1%); ops/s (ops/s<50K)'

/** Throws an Error with the grammar when `text` is not a condition. */
export function parseFailIf(text: string): FailCondition {
  const match =
    /^\s*(?:([a-z-]+)\.)?(p\d{1,2}(?:\.\d+)?|max|errors|ops\/s)\s*(>=|<=|>|<)\s*(\d+(?:\.\d+)?)\s*([a-zµ%]*)\s*$/i.exec(
      text,
    )
  if (match === null) throw new Error(`--fail-if '${text}' is not a condition: ${grammar}`)
  const [, operation = 'all', metric = '', operator = '', number = '', unit = ''] = match
  const holds = compare[operator]!
  const limit = Number(number)
  if (metric === 'errors' || metric === 'ops/s') {
    if (operation !== 'all') throw new Error(`--fail-if '${text}': ${metric} is for all operations together`)
    return metric === 'errors' ? errorsCondition(text, holds, limit, unit) : rateCondition(text, holds, limit, unit)
  }
  const unitUs = latencyUnitsUs[unit]
  if (unitUs === undefined) throw new Error(`--fail-if '${text}' needs a unit: ${grammar}`)
  const percentile = metric === 'max' ? undefined : Number(metric.slice(1))
  return {
    text,
    failure: (figures) => {
      const us = percentile === undefined ? figures.maxUs(operation) : figures.percentileUs(operation, percentile)
      if (us === undefined) return `no ${operation === 'all' ? 'operation' : operation} succeeded`
      return holds(us, limit * unitUs)
        ? `${operation === 'all' ? '' : `${operation} `}${metric} is ${formatUs(us)}`
        : undefined
    },
  }
}

type Comparison = (left: number, right: number) => boolean

function errorsCondition(text: string, holds: Comparison, limit: number, unit: string): FailCondition {
  if (unit !== '' && unit !== '%') throw new Error(`--fail-if '${text}': errors are a count or a share in %`)
  return {
    text,
    failure: ({ errors, operations }) => {
      const value = unit === '%' ? (100 * errors) / Math.max(1, errors + operations) : errors
      return holds(value, limit) ? `errors are ${value}${unit}` : undefined
    },
  }
}

function rateCondition(text: string, holds: Comparison, limit: number, unit: string): FailCondition {
  const factor = rateUnits[unit.toLowerCase()]
  if (factor === undefined) throw new Error(`--fail-if '${text}': ops/s take K or M, not "${unit}"`)
  return {
    text,
    failure: ({ opsPerSec }) => (holds(opsPerSec, limit * factor) ? `ops/s are ${opsPerSec}` : undefined),
  }
}

/** One sentence per condition that holds. */
export function failures(conditions: readonly FailCondition[], figures: FailFigures): string[] {
  return conditions.flatMap(({ text, failure }) => {
    const found = failure(figures)
    return found === undefined ? [] : [`failed: ${text}: ${found}`]
  })
}

/** @param percentileUs exact percentiles, from the histograms. */
export function failFigures(summary: PhaseSummary, percentileUs: FailFigures['percentileUs']): FailFigures {
  const all = summary.latencies.all!
  return {
    percentileUs,
    maxUs: (operation) => summary.latencies[operation]?.maxUs,
    operations: all.n,
    errors: summary.errorCount,
    opsPerSec: all.opsPerSec,
  }
}
