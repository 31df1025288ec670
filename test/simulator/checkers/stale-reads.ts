import { byKey, type Checker, describeOperation, forgetful, isWrite, quorumsMeet, type Violation } from '../history.js'
import { KeyHistory } from '../key-history.js'

/** A read whose quorum meets the write's sees every write that was acknowledged before the read began. */
export const staleReads: Checker = (history) => {
  const violations: Violation[] = []
  for (const operations of byKey(history.operations).values()) {
    const key = new KeyHistory(operations, history)
    for (const read of operations) {
      if (read.kind !== 'get' || read.outcome !== 'ok') continue
      for (const write of operations) {
        if (!isWrite(write) || write.outcome !== 'ok' || write.endedAtMs >= read.beganAtMs) continue
        if (!quorumsMeet(read, write) || read.r + write.w - read.bucket.n <= history.damagedNodes) continue
        if (write.w <= forgetful(history) || key.accountsFor(read, write)) continue
        violations.push({
          checker: 'stale-reads',
          message: `${describeOperation(read)} does not know ${describeOperation(write)}`,
          operations: [write.id, read.id],
        })
      }
    }
  }
  return { violations }
}
