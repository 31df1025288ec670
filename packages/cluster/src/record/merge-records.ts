import { leftKnowsMore, rightKnowsMore, vectorOrder } from '../causality/vector-bytes.js'
import { mergeByRule } from './merge-policy.js'
import { mergeSingles } from './merge-singles.js'
import { decodeRecord, encodeRecord, historyAt, historyEntriesOf } from './record-format.js'
import type { Resolution, ResolutionCounters } from './resolution.js'

/** How two records stand to each other by what they have seen. */
export type RecordOrder = 'equal' | 'older' | 'newer' | 'concurrent'

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && Buffer.compare(a, b) === 0

/** What `a` is to `b`. `concurrent` also for the same history with other siblings: a bound or a retry left them so. */
export function compareRecords(a: Uint8Array, b: Uint8Array): RecordOrder {
  if (sameBytes(a, b)) return 'equal'
  const order = vectorOrder(a, historyAt, historyEntriesOf(a), b, historyAt, historyEntriesOf(b))
  if (order === leftKnowsMore) return 'newer'
  return order === rightKnowsMore ? 'older' : 'concurrent'
}

/**
 * The record that knows all that either does, under the bucket's rule. Returns `a` or `b` itself when that one already is
 * the result, so that a caller sees by identity whether there is anything to write.
 */
export function mergeRecords(
  a: Uint8Array,
  b: Uint8Array,
  resolution: Resolution,
  counters?: ResolutionCounters,
): Uint8Array {
  if (sameBytes(a, b)) return a
  if (resolution.rule === 'lww' || resolution.siblingsMax > 1) {
    const merged = mergeSingles(a, b, resolution.rule === 'lww', counters)
    if (merged !== undefined) return merged
  }
  const merged = encodeRecord(mergeByRule(decodeRecord(a), decodeRecord(b), resolution, counters))
  if (sameBytes(merged, a)) return a
  return sameBytes(merged, b) ? b : merged
}
