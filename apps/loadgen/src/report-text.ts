import type { Sample } from './phase-run.js'
import type { PhaseSummary } from './report-summary.js'

/** Colours are the caller's: this file stays plain. */
export interface Paint {
  bold: (text: string) => string
  dim: (text: string) => string
  red: (text: string) => string
  yellow: (text: string) => string
}

export function liveLine(sample: Sample, paint: Paint): string {
  const rate = (sample.count * 1000) / Math.max(1, sample.durationMs)
  const errors = sample.errors === 0 ? '0 errors' : paint.red(`${formatCount(sample.errors)} errors`)
  const seconds = `${(sample.atMs / 1000).toFixed(1)} s`.padStart(8)
  return [
    `${seconds}  ${formatCount(rate).padStart(10)} ops/s`,
    `p50 ${formatUs(sample.p50Ns / 1000).padStart(8)}`,
    `p99 ${formatUs(sample.p99Ns / 1000).padStart(8)}`,
    errors,
    ...(sample.warmUp ? [paint.dim('warm-up, not in the report')] : []),
  ].join('   ')
}

/** The report that a phase ends with. */
export function textReport(summary: PhaseSummary, paint: Paint): string {
  const { latencies } = summary
  const all = latencies.all!
  const lines = [
    '',
    paint.bold(
      `${summary.bench} ${summary.phase} on ${summary.subject}: ${formatCount(all.n)} operations in ${(summary.measuredMs / 1000).toFixed(2)} s, ${formatCount(all.opsPerSec)} ops/s`,
    ),
    ...latencyTable(summary),
    ...(summary.verify?.violationCount === 0
      ? [`verified ${formatCount(summary.verify.checked)} values, all right`]
      : []),
    ...warnings(summary).map((line) => paint.yellow(line)),
    ...problems(summary).map((line) => paint.red(line)),
  ]
  return lines.join('\n')
}

function latencyTable({ latencies }: PhaseSummary): string[] {
  const kinds = Object.entries(latencies)
  const rows = kinds
    .filter(([name]) => name !== 'all' || kinds.length !== 2)
    .map(([name, each]) => [
      name,
      formatCount(each.n),
      ...[each.p50Us, each.p90Us, each.p99Us, each.p999Us, each.p9999Us, each.maxUs].map(formatUs),
    ])
  return alignColumns([['', 'count', 'p50', 'p90', 'p99', 'p99.9', 'p99.99', 'max'], ...rows])
}

/** Things the reader of the figures must know. */
function warnings(summary: PhaseSummary): string[] {
  const { openLoop, absent, clientCpu } = summary
  const lines: string[] = []
  if (openLoop !== undefined) {
    lines.push(
      `${formatCount(openLoop.late)} operations began more than 1 ms after they were due (the wait is in their latency)`,
    )
    if (openLoop.unsent > 0) {
      lines.push(
        `${formatCount(openLoop.unsent)} operations were due and never sent: ${formatCount(openLoop.rate)} ops/s is more than the server, or these connections, can do; latencies are too kind`,
      )
    }
  }
  if (absent > 0 && summary.phase === 'run')
    lines.push(
      `${formatCount(absent)} reads found no record: was the load phase run with the same --records and --key-prefix?`,
    )
  // The open loop polls, so its share says nothing; there, late operations do.
  if (openLoop === undefined && clientCpu > 0.9) {
    lines.push(
      `the load generator used ${Math.round(clientCpu * 100)} % of a core: it, not the server, may be what was measured`,
    )
  }
  if (summary.outcome === 'interrupted') lines.push('interrupted: figures cover the part that ran')
  return lines
}

function problems(summary: PhaseSummary): string[] {
  const lines: string[] = []
  if (summary.outcome === 'server-gone') lines.push('the server went away and did not come back (see --reconnect)')
  for (const [kind, count] of Object.entries(summary.errors)) {
    lines.push(`error ${kind}: ${formatCount(count)} (first: ${summary.errorMessages[kind]})`)
  }
  const { verify } = summary
  if (verify === undefined) return lines
  for (const [violation, count] of Object.entries(verify.violations)) {
    if (count > 0) lines.push(`verify ${violation}: ${formatCount(count)}`)
  }
  return [...lines, ...verify.examples.map((example) => `  ${example}`)]
}

function alignColumns(rows: string[][]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  return rows.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '),
  )
}

export function formatCount(count: number): string {
  return Math.round(count).toLocaleString('en-US')
}

/** Three significant digits or so in the unit that fits: `12.3 us`, `1.05 ms`, `2.00 s`. */
export function formatUs(us: number): string {
  if (us < 1000) return `${us < 100 ? us.toFixed(1) : us.toFixed(0)} us`
  const [value, unit] = us < 1e6 ? [us / 1000, 'ms'] : [us / 1e6, 's']
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${unit}`
}
