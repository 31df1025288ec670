import { byKey, type Checker, describeOperation, type Violation } from '../history.js'
import { KeyHistory } from '../key-history.js'

/** No read that begins after a value has expired by every clock returns it. */
export const expiredReads: Checker = (history) => {
  const violations: Violation[] = []
  for (const operations of byKey([...history.operations, ...history.finalReads]).values()) {
    const key = new KeyHistory(operations, history)
    for (const read of operations) {
      if (read.kind !== 'get' || read.outcome !== 'ok') continue
      for (const value of read.values) {
        const write = key.writeOf(value)
        if (write === undefined || write.expiresAtMs + history.clockErrorMaxMs >= read.beganAtMs) continue
        violations.push({
          checker: 'expired-reads',
          message: `${describeOperation(read)} returns ${value}, which expired at ${write.expiresAtMs.toFixed(1)}`,
          operations: [write.id, read.id],
        })
      }
    }
  }
  return { violations }
}
