import type { MemberNumber } from '../node/identity.js'

/**
 * The number of one attempt at the register: higher ones win. No two attempts of the cluster's life share one: the boot, which counts the
 * starts of the proposer's process and is durable before anything leaves it, tells two lives apart that begin to count anew.
 */
export interface Ballot {
  readonly counter: number
  readonly member: MemberNumber
  readonly boot: number
}

/** Before any attempt. */
export const noBallot: Ballot = { counter: 0, member: 0, boot: 0 }

/** Negative: `a` is lower. */
export const compareBallots = (a: Ballot, b: Ballot): number =>
  a.counter - b.counter || a.member - b.member || a.boot - b.boot
