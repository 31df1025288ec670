import type { Bucket } from '../coordination/topology.js'
import type { MemberNumber } from '../node/identity.js'
import type { NewWrite } from '../record/mint-record.js'
import { type ReplyStatus, replyStatus } from './reply-status.js'
import { RequestSlot } from './request-table.js'
import type { Route } from './route.js'

/**
 * - `forwarding`: an owner has been asked to mint it.
 * - `replicating`: minted here; acknowledgements are counted.
 * - `draining`: answered; the last owners may still acknowledge, else hints are kept for them.
 */
export type PutPhase = 'forwarding' | 'replicating' | 'draining'

const nothing = new Uint8Array(0)

/** One write. Masks have a bit per `route.members`. */
export class PutSlot extends RequestSlot {
  phase: PutPhase = 'forwarding'
  id = 0
  /** The node that forwarded it, and its numbers for it; 0: a client of this node. */
  origin: MemberNumber = 0
  originSlot = 0
  originGeneration = 0
  originAttempt = 0
  bucket!: Bucket
  key: Uint8Array = nothing
  partition = 0
  route!: Route
  w = 0
  /** Hints on fallbacks count. */
  sloppy = false
  context: Uint8Array | undefined
  readonly write: NewWrite = { value: nothing, tombstone: false, expiresAt: 0, requestHigh: 0, requestLow: 0 }
  ifAbsent = false
  /** -1: no condition. */
  ifVersion = -1
  deadlineMs = 0
  resendMs = 0

  /** The record as it was minted. */
  record: Uint8Array = nothing
  /** In whose place this node has stored it: itself, or (a fallback that minted) an owner that is away. -1: no owner any more. */
  ownPlace = -1
  /** The own write counts once this ticket is durable; 0: it does. */
  localTicket = 0
  acks = 0
  /** Cannot store it now. */
  failed = 0
  /** A hint is kept for them, here or on a fallback. */
  hinted = 0
  /** It was sent to them: their silence is counted. */
  sent = 0
  nextFallback = 0
  startedAtMs = 0

  /** Places that were asked to mint. */
  tried = 0
  /** The last of them. */
  askedPlace = 0
  attempts = 0
  /** Attempts (by number, up to 30) whose outcome nobody knows. */
  open = 0
  /** Why the last attempt did nothing. */
  refusal: ReplyStatus = replyStatus.unavailable

  /** Lets go of what the garbage collector should have. */
  clear(): void {
    this.key = nothing
    this.context = undefined
    this.record = nothing
    this.write.value = nothing
  }
}
