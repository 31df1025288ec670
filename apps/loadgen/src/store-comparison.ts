import type { PhaseSummary } from './report-summary.js'

export interface StoreRatio {
  bench: string
  phase: PhaseSummary['phase']
  subject: string
  bestPeer: string
  /** Of operations a second; above 1: the subject is ahead. */
  ratio: number
  /** Of the 99th percentiles; above 1: the subject is slower. */
  p99Ratio: number
}

/** Each later run against the first, phase by phase. */
export function compareStores([first, ...others]: readonly PhaseSummary[][]): StoreRatio[] {
  return others.flatMap((summaries) =>
    summaries.flatMap((summary) => {
      const base = first?.find(({ phase }) => phase === summary.phase)
      if (base === undefined) return []
      const [own, other] = [summary.latencies.all, base.latencies.all]
      if (own === undefined || other === undefined || other.opsPerSec === 0 || other.p99Us === 0) return []
      return [
        {
          bench: summary.bench,
          phase: summary.phase,
          subject: summary.subject,
          bestPeer: base.subject,
          ratio: rounded(own.opsPerSec / other.opsPerSec),
          p99Ratio: rounded(own.p99Us / other.p99Us),
        },
      ]
    }),
  )
}

const rounded = (ratio: number) => Number(ratio.toFixed(3))

export const ratioText = ({ phase, subject, bestPeer, ratio, p99Ratio }: StoreRatio) =>
  `${phase}: ${subject} makes ${ratio.toFixed(2)} x the operations of ${bestPeer}, p99 ${p99Ratio.toFixed(2)} x`
