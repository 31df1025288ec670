import { readCounter, vectorEntryBytes } from '../causality/vector-bytes.js'
import { encodeContextOf } from './context-format.js'
import {
  historyAt,
  readSibling,
  readSiblingEnd,
  readStampLogical,
  readStampMs,
  siblingCountOf,
  siblingsAt,
} from './record-format.js'
import { compareWinners, type Sibling } from './record-state.js'

/** The siblings that are neither deleted nor expired, the winner first; none: the key is not found. Values are views. */
export function visibleSiblings(record: Uint8Array, wallMs: number): Sibling[] {
  const visible: Sibling[] = []
  let at = siblingsAt(record)
  for (let left = siblingCountOf(record); left > 0; left--, at = readSiblingEnd(record, at)) {
    const sibling = readSibling(record, at)
    if (isVisible(sibling, wallMs)) visible.push(sibling)
  }
  return visible.length > 1 ? visible.sort((a, b) => compareWinners(b, a)) : visible
}

export const isVisible = ({ tombstone, expiresAt }: Sibling, wallMs: number): boolean =>
  !tombstone && (expiresAt === 0 || expiresAt > wallMs)

/** The `version` of the HTTP API: the sum of the history's counters. */
export function recordVersion(record: Uint8Array): number {
  let sum = 0
  for (let entry = historyAt, end = siblingsAt(record); entry < end; entry += vectorEntryBytes)
    sum += readCounter(record, entry)
  return sum
}

/** Offset of the sibling with the latest stamp: the one that last-writer-wins chooses. */
export function latestSiblingAt(record: Uint8Array): number {
  let latest = siblingsAt(record)
  let at = latest
  for (let left = siblingCountOf(record); left > 1; left--) {
    at = readSiblingEnd(record, at)
    const byMs = readStampMs(record, at) - readStampMs(record, latest)
    // Dots ascend, so of equal stamps the later one in the record wins.
    if (byMs > 0 || (byMs === 0 && readStampLogical(record, at) >= readStampLogical(record, latest))) latest = at
  }
  return latest
}

/** Milliseconds of the latest stamp in the record. */
export const recordTimestampMs = (record: Uint8Array): number => readStampMs(record, latestSiblingAt(record))

/** The context that a reader of the record takes with it. Cost: a copy of the history. */
export const contextOf = (record: Uint8Array): Uint8Array => encodeContextOf(record, latestSiblingAt(record))
