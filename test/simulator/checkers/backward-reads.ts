import { byKey, type Checker, describeOperation, forgetful, type Operation, type Violation } from '../history.js'
import { KeyHistory } from '../key-history.js'

/**
 * What one read has shown, every later one knows that asks as many owners: a read that finds them in disagreement writes back before it answers.
 * A read of a single owner finds nothing of the kind.
 */
export const backwardReads: Checker = (history) => {
  const violations: Violation[] = []
  if (forgetful(history) > 0) return { violations }
  for (const operations of byKey([...history.operations, ...history.finalReads]).values()) {
    const key = new KeyHistory(operations, history)
    const reads = operations.filter(isTold)
    for (const later of reads)
      for (const earlier of reads) {
        if (earlier.endedAtMs >= later.beganAtMs || earlier.r > later.r) continue
        const lost = earlier.values.find((value) => {
          const write = key.writeOf(value)
          return write !== undefined && !key.accountsFor(later, asShown(write, earlier))
        })
        if (lost === undefined) continue
        violations.push({
          checker: 'backward-reads',
          message: `${describeOperation(later)} does not know ${lost} of ${describeOperation(earlier)}`,
          operations: [earlier.id, later.id],
        })
      }
  }
  return { violations }
}

const isTold = ({ kind, outcome, strict, r }: Operation): boolean =>
  kind === 'get' && outcome === 'ok' && strict && r > 1

/** A write that was tried again may be stamped twice: what the first read showed is what the second must not go behind. */
const asShown = (write: Operation, read: Operation): Operation =>
  write.contested && write.bucket.rule === 'lww' ? { ...write, timestampMs: read.timestampMs } : write
