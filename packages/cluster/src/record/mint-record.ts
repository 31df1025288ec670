import type { HybridClock } from '../causality/hybrid-clock.js'
import { counterOf, covers, emptyVector, joinVectors, withDot } from '../causality/version-vector.js'
import type { Actor } from '../node/identity.js'
import { type Context, decodeContext } from './context-format.js'
import { boundSiblings } from './merge-policy.js'
import { RecordError } from './record-error.js'
import { checkMintable, decodeRecord, encodeRecord } from './record-format.js'
import { compareDots, type RecordState, type Sibling } from './record-state.js'
import type { Resolution, ResolutionCounters } from './resolution.js'

/** What a client asks for. */
export interface NewWrite {
  /** Empty for a tombstone. */
  value: Uint8Array
  tombstone: boolean
  /** Milliseconds since the epoch, below 2^48; 0: never. */
  expiresAt: number
  requestHigh: number
  requestLow: number
}

/** Who mints, and what its bucket asks for. Made once per node and bucket, not per write. */
export interface Mint {
  actor: Actor
  clock: HybridClock
  resolution: Resolution
  counters: ResolutionCounters
}

/**
 * The record after a write, minted by an owner of the partition on top of its own record. The write overwrites what the
 * context covers (with `lww`: everything) and stays beside the rest. The same bytes come back when a record already holds
 * this request: it is a retry.
 *
 * Throws CASKADE_BAD_CONTEXT, and CASKADE_CLOCK_SKEW for a context whose stamp the clock refuses.
 */
export function mintRecord(
  existing: Uint8Array | undefined,
  context: Uint8Array | undefined,
  write: NewWrite,
  mint: Mint,
  wallMs: number,
): Uint8Array {
  const before: RecordState = existing === undefined ? { history: emptyVector, siblings: [] } : decodeRecord(existing)
  if (existing !== undefined && holdsRequest(before, write)) return existing
  const seen = context === undefined ? undefined : acceptContext(decodeContext(context), before, mint, wallMs)
  return encodeRecord(mintState(before, seen, write, mint, wallMs))
}

const holdsRequest = ({ siblings }: RecordState, { requestHigh, requestLow }: NewWrite) =>
  (requestHigh | requestLow) !== 0 &&
  siblings.some((each) => each.requestHigh === requestHigh && each.requestLow === requestLow)

/** A context may know of other actors what this replica does not; of the own actor it cannot. */
function acceptContext(context: Context, before: RecordState, { actor, clock }: Mint, wallMs: number): Context {
  if (counterOf(context.history, actor) > counterOf(before.history, actor))
    throw new RecordError(
      'CASKADE_BAD_CONTEXT',
      'the context knows writes that this node never made: read the key again',
    )
  if (!clock.observe(context.stampMs, context.stampLogical, wallMs))
    throw new RecordError(
      'CASKADE_CLOCK_SKEW',
      `the context was stamped ${context.stampMs - wallMs} ms ahead of this node's clock: set the clocks of the cluster`,
    )
  return context
}

/** `mintRecord` on states: the dot's counter is one more than any that the actor has minted for this key. */
export function mintState(
  before: RecordState,
  context: Pick<Context, 'history'> | undefined,
  write: NewWrite,
  { actor, clock, resolution, counters }: Mint,
  wallMs: number,
): RecordState {
  // Later than every write of the record, overwritten or not: else last-writer-wins could prefer what this one replaces.
  for (const each of before.siblings) clock.raise(each.stampMs, each.stampLogical)
  clock.tick(wallMs)
  const seen = context === undefined ? before.history : joinVectors(before.history, context.history)
  const counter = counterOf(seen, actor) + 1
  const sibling: Sibling = { ...write, actor, counter, stampMs: clock.ms, stampLogical: clock.logical }
  const history = withDot(seen, actor, counter)
  checkMintable(counter, history.length / 2)
  if (resolution.rule === 'lww') return { history, siblings: [sibling] }
  const kept = before.siblings.filter(
    (each) => context === undefined || !covers(context.history, each.actor, each.counter),
  )
  const siblings = [...kept, sibling].sort(compareDots)
  return { history, siblings: boundSiblings(siblings, resolution.siblingsMax, counters) }
}
