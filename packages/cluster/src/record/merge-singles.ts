import { compareStamps } from '../causality/hybrid-clock.js'
import {
  findCounter,
  leftKnowsMore,
  readActor,
  readCounter,
  readVector,
  rightKnowsMore,
  vectorEntryBytes,
  vectorOrder,
  writeVector,
} from '../causality/vector-bytes.js'
import { joinVectors, type VersionVector } from '../causality/version-vector.js'
import {
  historyAt,
  historyEntriesOf,
  isRequest,
  readRequestHigh,
  readRequestLow,
  readStampLogical,
  readStampMs,
  siblingCountOf,
  siblingsAt,
  writeRecordHead,
} from './record-format.js'
import type { ResolutionCounters } from './resolution.js'

/**
 * Merge of two records with one sibling each, nearly all there are, without decoding them: what `mergeByRule` would give,
 * or `undefined` where that has more to do.
 */
export function mergeSingles(
  a: Uint8Array,
  b: Uint8Array,
  lww: boolean,
  counters: ResolutionCounters | undefined,
): Uint8Array | undefined {
  if (siblingCountOf(a) !== 1 || siblingCountOf(b) !== 1) return undefined
  const aEntries = historyEntriesOf(a)
  const bEntries = historyEntriesOf(b)
  const order = vectorOrder(a, historyAt, aEntries, b, historyAt, bEntries)
  const aSibling = historyAt + aEntries * vectorEntryBytes
  const bSibling = historyAt + bEntries * vectorEntryBytes
  const byDot = compareDotBytes(a, aSibling, b, bSibling)
  if (byDot === 0) return joined(a, b, (order & leftKnowsMore) === 0 ? b : a, order)
  if (lww) {
    const byStamp = compareStamps(
      readStampMs(a, aSibling),
      readStampLogical(a, aSibling),
      readStampMs(b, bSibling),
      readStampLogical(b, bSibling),
    )
    const winner = (byStamp || byDot) > 0 ? a : b
    if (counters !== undefined && !(winner === a ? knows(a, b, bSibling) : knows(b, a, aSibling))) counters.lwwLosses++
    return joined(a, b, winner, order)
  }
  const aStays = !knows(b, a, aSibling)
  const bStays = !knows(a, b, bSibling)
  if (aStays !== bStays) return joined(a, b, aStays ? a : b, order)
  // Neither: made-up contexts. One request: two retries. The rule has a say on both.
  if (!aStays || isSameRequest(a, aSibling, b, bSibling)) return undefined
  return byDot < 0 ? sideBySide(a, aSibling, b, bSibling) : sideBySide(b, bSibling, a, aSibling)
}

function compareDotBytes(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): number {
  return readActor(a, aAt) - readActor(b, bAt) || readCounter(a, aAt) - readCounter(b, bAt)
}

const isSameRequest = (a: Uint8Array, aSibling: number, b: Uint8Array, bSibling: number) =>
  isRequest(a, aSibling, readRequestHigh(b, bSibling), readRequestLow(b, bSibling))

/** Has the record seen the dot of that sibling? */
const knows = (record: Uint8Array, other: Uint8Array, sibling: number) =>
  findCounter(record, historyAt, historyEntriesOf(record), readActor(other, sibling)) >= readCounter(other, sibling)

/** Both histories and the one sibling of `winner`: `winner` itself if the other history adds nothing. */
function joined(a: Uint8Array, b: Uint8Array, winner: Uint8Array, order: number): Uint8Array {
  if ((order & (winner === a ? rightKnowsMore : leftKnowsMore)) === 0) return winner
  const sibling = siblingsAt(winner)
  const bytes = withHistory(joinedHistory(a, b), 1, winner.length - sibling)
  bytes.set(winner.subarray(sibling), bytes.length - (winner.length - sibling))
  return bytes
}

function sideBySide(first: Uint8Array, firstSibling: number, second: Uint8Array, secondSibling: number): Uint8Array {
  const firstBytes = first.length - firstSibling
  const secondBytes = second.length - secondSibling
  const bytes = withHistory(joinedHistory(first, second), 2, firstBytes + secondBytes)
  bytes.set(first.subarray(firstSibling), bytes.length - secondBytes - firstBytes)
  bytes.set(second.subarray(secondSibling), bytes.length - secondBytes)
  return bytes
}

const historyOf = (record: Uint8Array) => readVector(record, historyAt, historyEntriesOf(record))
const joinedHistory = (a: Uint8Array, b: Uint8Array) => joinVectors(historyOf(a), historyOf(b))

/** A record without the bytes of its siblings yet. */
function withHistory(history: VersionVector, siblings: number, siblingBytes: number): Uint8Array {
  const entries = history.length / 2
  const bytes = Buffer.allocUnsafe(historyAt + entries * vectorEntryBytes + siblingBytes)
  writeRecordHead(bytes, entries, siblings)
  writeVector(bytes, historyAt, history)
  return bytes
}
