/** One line of the report; what does not apply is absent. */
export interface Measurement {
  bench: string
  subject: string
  n: number
  opsPerSec?: number
  p50Us?: number
  p99Us?: number
  p999Us?: number
  maxUs?: number
  cpuUsPerOp?: number
  rssBytes?: number
  /** Of `rssBytes` what is no mapped file: heap, buffers, stacks. Pages of mapped files are the kernel's to take back. */
  anonymousBytes?: number
  diskBytes?: number
}

export interface Comparison {
  bench: string
  subject: string
  bestPeer: string
  /** Above 1: we are ahead. */
  ratio: number
}

/** The figure that a bench is about, turned so that more is better. */
function score({ bench, opsPerSec, diskBytes, rssBytes, maxUs }: Measurement): number {
  if (bench === 'disk') return 1 / diskBytes!
  if (bench === 'memory') return 1 / rssBytes!
  if (bench === 'reopen') return 1 / maxUs!
  return opsPerSec!
}

/** Each of our subjects against the best peer of each bench that both ran. */
export function compare(measurements: readonly Measurement[], isOurs: (subject: string) => boolean): Comparison[] {
  return measurements
    .filter(({ subject }) => isOurs(subject))
    .flatMap((ours) => {
      const others = measurements.filter(({ bench, subject }) => bench === ours.bench && !isOurs(subject))
      if (others.length === 0) return []
      const best = others.reduce((leader, other) => (score(other) > score(leader) ? other : leader))
      const ratio = Number((score(ours) / score(best)).toFixed(3))
      return [{ bench: ours.bench, subject: ours.subject, bestPeer: best.subject, ratio }]
    })
}
