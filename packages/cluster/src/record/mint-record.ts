import { compareStamps, type HybridClock } from '../causality/hybrid-clock.js'
import { copyEntries, readActor, readCounter, vectorEntryBytes, writeEntry } from '../causality/vector-bytes.js'
import { counterOf, covers, descends, emptyVector, joinVectors, withDot } from '../causality/version-vector.js'
import type { Actor } from '../node/identity.js'
import { type Context, decodeContext, hasSeenRecord } from './context-format.js'
import { boundSiblings } from './merge-policy.js'
import { latestSiblingAt } from './read-record.js'
import { RecordError } from './record-error.js'
import {
  checkMintable,
  decodeRecord,
  encodedSiblingBytes,
  encodeRecord,
  expiresAtMax,
  historyAt,
  historyEntriesOf,
  isRequest,
  readSiblingEnd,
  readStampLogical,
  readStampMs,
  siblingCountOf,
  siblingsAt,
  writeRecordHead,
  writeSibling,
} from './record-format.js'
import { compareDots, type RecordState, type Sibling } from './record-state.js'
import type { Resolution, ResolutionCounters } from './resolution.js'

/** What a client asks for. */
export interface NewWrite {
  /** Empty for a tombstone. */
  value: Uint8Array
  tombstone: boolean
  /** Milliseconds since the epoch; 0: never. Beyond 2^48 - 1, in the year 10889, it is that. */
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
  const isBlind = context === undefined
  if (existing !== undefined && (isBlind ? mint.resolution.rule === 'lww' : hasSeenRecord(context, existing)))
    return overwrite(existing, write, mint, wallMs)
  const before: RecordState = existing === undefined ? { history: emptyVector, siblings: [] } : decodeRecord(existing)
  if (existing !== undefined && holdsRequest(before, write)) return existing
  const seen = isBlind ? undefined : acceptContext(decodeContext(context), before, mint, wallMs)
  return encodeRecord(mintState(before, seen, write, mint, wallMs))
}

const holdsRequest = ({ siblings }: RecordState, { requestHigh, requestLow }: NewWrite) =>
  (requestHigh | requestLow) !== 0 &&
  siblings.some((each) => each.requestHigh === requestHigh && each.requestLow === requestLow)

/**
 * A context may know of other actors what this replica does not; of the own actor it cannot. One that knows no more than the record
 * has nothing to say: the record's own stamps are as late.
 */
function acceptContext(context: Context, before: RecordState, { actor, clock }: Mint, wallMs: number): Context {
  if (counterOf(context.history, actor) > counterOf(before.history, actor))
    throw new RecordError(
      'CASKADE_BAD_CONTEXT',
      'the context knows writes that this node never made: read the key again',
    )
  if (descends(before.history, context.history)) return { ...context, stampMs: 0, stampLogical: 0 }
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
  context: Context | undefined,
  write: NewWrite,
  { actor, clock, resolution, counters }: Mint,
  wallMs: number,
): RecordState {
  // Later than every write of the record, overwritten or not: else last-writer-wins could prefer what this one replaces.
  let latest: Pick<Sibling, 'stampMs' | 'stampLogical'> = context ?? { stampMs: 0, stampLogical: 0 }
  for (const each of before.siblings)
    if (compareStamps(each.stampMs, each.stampLogical, latest.stampMs, latest.stampLogical) > 0) latest = each
  clock.tick(wallMs, latest.stampMs, latest.stampLogical)
  const seen = context === undefined ? before.history : joinVectors(before.history, context.history)
  const counter = counterOf(seen, actor) + 1
  const sibling = siblingOf(write, actor, counter, clock)
  const history = withDot(seen, actor, counter)
  checkMintable(counter, history.length / 2)
  if (resolution.rule === 'lww') return { history, siblings: [sibling] }
  const kept = before.siblings.filter(
    (each) => context === undefined || !covers(context.history, each.actor, each.counter),
  )
  const siblings = [...kept, sibling].sort(compareDots)
  return { history, siblings: boundSiblings(siblings, resolution.siblingsMax, counters) }
}

function siblingOf(write: NewWrite, actor: Actor, counter: number, clock: HybridClock): Sibling {
  return {
    actor,
    counter,
    stampMs: clock.stampMs,
    stampLogical: clock.stampLogical,
    expiresAt: Math.min(write.expiresAt, expiresAtMax),
    tombstone: write.tombstone,
    requestHigh: write.requestHigh,
    requestLow: write.requestLow,
    value: write.value,
  }
}

/**
 * `mintRecord` for what replaces all of the record, the common case: a blind put under last-writer-wins, or a write by one who has
 * seen the record as it is. The history is patched, nothing is decoded.
 */
function overwrite(existing: Uint8Array, write: NewWrite, { actor, clock }: Mint, wallMs: number): Uint8Array {
  let at = siblingsAt(existing)
  for (let left = siblingCountOf(existing); left > 0; left--, at = readSiblingEnd(existing, at))
    if (isRequest(existing, at, write.requestHigh, write.requestLow)) return existing
  const latest = latestSiblingAt(existing)
  clock.tick(wallMs, readStampMs(existing, latest), readStampLogical(existing, latest))
  const entries = historyEntriesOf(existing)
  let entry = historyAt
  const end = historyAt + entries * vectorEntryBytes
  while (entry < end && readActor(existing, entry) < actor) entry += vectorEntryBytes
  const known = entry < end && readActor(existing, entry) === actor
  const counter = known ? readCounter(existing, entry) + 1 : 1
  checkMintable(counter, entries + 1)
  const sibling = siblingOf(write, actor, counter, clock)
  const behind = known ? entry + vectorEntryBytes : entry
  const bytes = Buffer.allocUnsafe(end + (known ? 0 : vectorEntryBytes) + encodedSiblingBytes(sibling))
  writeRecordHead(bytes, known ? entries : entries + 1, 1)
  copyEntries(existing, historyAt, entry, bytes, historyAt)
  const after = writeEntry(bytes, entry, actor, counter)
  writeSibling(bytes, copyEntries(existing, behind, end, bytes, after), sibling)
  return bytes
}
