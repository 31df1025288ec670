import { HybridClock } from '../causality/hybrid-clock.js'

/**
 * Faults that tests switch on to show that the simulator finds them: each is checked at one place in the code, and nothing else
 * reads this. A node is given none outside tests.
 */
export const deliberateBugs = {
  'ack-before-write': 'an owner acknowledges, and counts for itself, before its write is durable',
  'hint-counts-strictly': 'a hint on a fallback counts towards a strict quorum',
  'epoch-unchecked': 'a replica serves requests of an older or newer topology',
  'quorum-in-new-set-only': 'during a move, a quorum of the new owners is enough',
  'wall-clock-stamps': 'writes are stamped by the wall clock, not by the hybrid logical clock',
  'read-repair-without-write-back': 'a read that sees replicas disagree answers without writing back',
  'sibling-dropped-on-merge': 'a merge keeps the newest sibling alone',
  'epoch-not-bumped': 'the minting epoch stays the same after un-synced writes were lost',
  'late-reply-counted':
    'an answer that comes after its request ended (a paused node) counts for the next request in that slot',
  'retry-minted-twice': 'a retried write is minted again: its request id is ignored',
  'tombstone-collected-by-age': 'a tombstone is dropped when it is old, repaired or not',
  'hint-forgotten-when-sent': 'a hint is dropped when it is sent, not when it is acknowledged',
  'replica-overwrites': 'a replica stores what it is sent instead of merging it with what it has',
  'acceptor-answers-early': 'a voter answers before what it promised or accepted is durable',
  'ballot-reused': 'a ballot is a bare number: two attempts at the register may share one',
  'chosen-by-new-voters-only': 'a change of voters is chosen by a majority of the new voters alone',
  'life-not-new': 'a node that lost its data goes on as the member that it was',
} as const

export type DeliberateBug = keyof typeof deliberateBugs

/** For 'wall-clock-stamps'. */
export class WallClock extends HybridClock {
  override tick(wallMs: number): void {
    this.stampMs = wallMs
    this.stampLogical = 0
  }
}
