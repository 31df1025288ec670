import type { PhaseSummary } from './report-summary.js'

/** One JSON object per line: the phase as a whole, then each operation kind (with `operation`) when there are several. */
export function jsonLines(summary: PhaseSummary): string[] {
  const { bench, subject, phase, latencies } = summary
  const kinds = Object.entries(latencies)
  const lines = kinds
    .filter(([name]) => name === 'all' || kinds.length > 2)
    .map(([name, latency]) =>
      name === 'all'
        ? { bench, subject, phase, ...latency, ...phaseFigures(summary) }
        : { bench, subject, phase, operation: name, ...latency },
    )
  return lines.map((line) => JSON.stringify(line))
}

function phaseFigures(summary: PhaseSummary) {
  return {
    durationMs: Math.round(summary.measuredMs),
    outcome: summary.outcome,
    errorCount: summary.errorCount,
    errors: summary.errors,
    absent: summary.absent,
    disconnects: summary.disconnects,
    ...(summary.openLoop === undefined ? {} : summary.openLoop),
    ...(summary.verify === undefined
      ? {}
      : {
          verified: summary.verify.checked,
          violationCount: summary.verify.violationCount,
          violations: summary.verify.violations,
        }),
    clientCpu: Math.round(summary.clientCpu * 100) / 100,
    settings: summary.settings,
  }
}
