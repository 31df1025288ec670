import type { MembershipConfig } from './membership-config.js'

/** Of a cluster of so many nodes, in ms: shortest and longest, and how many confirmations lead from the one to the other. */
export interface SuspicionBounds {
  readonly minMs: number
  readonly maxMs: number
  readonly confirmations: number
}

export function suspicionBounds(nodes: number, config: MembershipConfig): SuspicionBounds {
  const { suspicionMult, suspicionMaxMult, probeIntervalMs } = config
  const minMs = suspicionMult * Math.max(1, Math.log10(Math.max(1, nodes))) * probeIntervalMs
  // Neither the suspect nor the first accuser confirms.
  const wanted = Math.max(0, suspicionMult - 2)
  return { minMs, maxMs: suspicionMaxMult * minMs, confirmations: nodes - 2 < wanted ? 0 : wanted }
}

/**
 * How long a suspect may take to refute: the longest at first, shrinking with the logarithm of confirmations to the shortest. After
 * Lifeguard (Dadgar, Phillips, Currey 2017), section IV-B: a lone accuser may itself be the one that is slow.
 */
export function suspicionTimeoutMs({ minMs, maxMs, confirmations }: SuspicionBounds, confirmed: number): number {
  if (confirmations === 0) return minMs
  const share = Math.log(confirmed + 1) / Math.log(confirmations + 1)
  return Math.max(minMs, maxMs - share * (maxMs - minMs))
}
