import {
  byKey,
  type Checker,
  describeOperation,
  forgetful,
  isWrite,
  type Operation,
  type Violation,
} from '../history.js'
import { KeyHistory } from '../key-history.js'

/** Acknowledged lww writes that lost to one which began before they ended: the rule's choice, and the price of `lww`. */
function discarded(operations: readonly Operation[]): number {
  const writes = operations.filter((each) => isWrite(each) && each.outcome === 'ok' && each.timestampMs !== undefined)
  return writes.filter((write) =>
    writes.some((other) => other.beganAtMs <= write.endedAtMs && write.timestampMs! < other.timestampMs!),
  ).length
}

/**
 * No acknowledged write is lost: in `siblings` and `union` buckets never, in `lww` buckets only to a write that the rule
 * prefers. Judged on the reads at the end, when every replica was asked.
 */
export const lostWrites: Checker = (history) => {
  const violations: Violation[] = []
  const keys = byKey(history.operations)
  let lwwDiscarded = 0
  for (const final of history.finalReads) {
    if (final.outcome !== 'ok') continue // liveness is another checker's
    const operations = keys.get(`${final.bucket.name}/${final.key}`) ?? []
    const key = new KeyHistory(operations, history)
    if (final.bucket.rule === 'lww') lwwDiscarded += discarded(operations)
    for (const write of operations) {
      if (write.kind !== 'put' || write.outcome !== 'ok' || write.w <= forgetful(history)) continue
      if (key.accountsFor(final, write)) continue
      violations.push({
        checker: 'lost-writes',
        message: `acknowledged and gone: ${describeOperation(write)}; in the end ${describeOperation(final)}`,
        operations: [write.id, final.id],
      })
    }
  }
  return { violations, counts: { lwwDiscarded } }
}
