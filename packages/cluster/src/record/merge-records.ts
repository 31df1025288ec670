import { descends } from '../causality/version-vector.js'
import { mergeByRule } from './merge-policy.js'
import { decodeRecord, encodeRecord } from './record-format.js'
import type { Resolution, ResolutionCounters } from './resolution.js'

/** How two records stand to each other by what they have seen. */
export type RecordOrder = 'equal' | 'older' | 'newer' | 'concurrent'

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && Buffer.compare(a, b) === 0

/** What `a` is to `b`. `concurrent` also when one history includes the other and the siblings differ all the same. */
export function compareRecords(a: Uint8Array, b: Uint8Array): RecordOrder {
  if (sameBytes(a, b)) return 'equal'
  const left = decodeRecord(a)
  const right = decodeRecord(b)
  const isNewer = descends(left.history, right.history)
  const isOlder = descends(right.history, left.history)
  if (isNewer === isOlder) return 'concurrent'
  return isNewer ? 'newer' : 'older'
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
  const merged = encodeRecord(mergeByRule(decodeRecord(a), decodeRecord(b), resolution, counters))
  if (sameBytes(merged, a)) return a
  return sameBytes(merged, b) ? b : merged
}
