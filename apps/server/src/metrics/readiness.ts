/** What decides whether a node should be sent work. */
export interface ReadinessFacts {
  /** Since start until everything listens, and from the first signal on. */
  phase: 'starting' | 'running' | 'draining'
  storeReadOnlyReason: string | undefined
  /** Milliseconds, over the last seconds. */
  loopDelayP99Ms: number
}

/** Above this the node answers, but late: a balancer does better elsewhere. */
export const loopDelayReadyMaxMs = 500

/** Why the node is not ready; empty: it is. */
export function notReadyReasons(facts: ReadinessFacts): string[] {
  const reasons: string[] = []
  if (facts.phase !== 'running') reasons.push(`the node is ${facts.phase}`)
  if (facts.storeReadOnlyReason !== undefined) reasons.push(`the store takes no writes: ${facts.storeReadOnlyReason}`)
  if (facts.loopDelayP99Ms > loopDelayReadyMaxMs)
    reasons.push(`the event loop is ${Math.round(facts.loopDelayP99Ms)} ms late (limit ${loopDelayReadyMaxMs} ms)`)
  return reasons
}
