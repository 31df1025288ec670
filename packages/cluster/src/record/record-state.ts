import { compareStamps } from '../causality/hybrid-clock.js'
import type { VersionVector } from '../causality/version-vector.js'
import type { Actor } from '../node/identity.js'

/** One write that no other known write has overwritten. Its dot (actor, counter) names it: same dot, same contents. */
export interface Sibling {
  actor: Actor
  counter: number
  /** Stamp of the hybrid clock: later than those of all writes that this one overwrote. */
  stampMs: number
  stampLogical: number
  /** Milliseconds since the epoch from which it is gone; 0: never. */
  expiresAt: number
  /** A deletion; `value` is then empty. */
  tombstone: boolean
  /** What the client's request was, in two 32-bit halves; both 0: unknown. A retry has the same. */
  requestHigh: number
  requestLow: number
  value: Uint8Array
}

/**
 * All that a replica knows of one key: the history it has seen and the siblings that are left of it. Siblings are in the
 * order of their dots, each covered by the history, at least one.
 *
 * After Preguica et al., "Dotted Version Vectors" (2012), and basho/riak_core's dvvset.
 */
export interface RecordState {
  history: VersionVector
  siblings: readonly Sibling[]
}

export const compareDots = (a: Sibling, b: Sibling): number => a.actor - b.actor || a.counter - b.counter

/** Last writer wins: the later stamp, then the higher actor. Positive if `a` wins; 0 only for one and the same dot. */
export const compareWinners = (a: Sibling, b: Sibling): number =>
  compareStamps(a.stampMs, a.stampLogical, b.stampMs, b.stampLogical) || compareDots(a, b)

export const sameRequest = (a: Sibling, b: Sibling): boolean =>
  a.requestHigh === b.requestHigh && a.requestLow === b.requestLow && (a.requestHigh | a.requestLow) !== 0

/** The sibling that last-writer-wins chooses. */
export const winnerOf = (siblings: readonly Sibling[]): Sibling =>
  siblings.reduce((best, each) => (compareWinners(each, best) > 0 ? each : best))
