import { byKey, type Checker, describeOperation, forgetful, isWrite, type Violation } from '../history.js'
import { KeyHistory } from '../key-history.js'

/** A `session` read sees what the same session wrote before, whatever the level of the write. */
export const sessionReads: Checker = (history) => {
  const violations: Violation[] = []
  for (const operations of byKey(history.operations).values()) {
    const key = new KeyHistory(operations, history)
    for (const read of operations) {
      if (read.kind !== 'get' || read.level !== 'session' || read.outcome !== 'ok') continue
      for (const write of operations) {
        if (!isWrite(write) || write.client !== read.client || write.outcome !== 'ok') continue
        if (write.endedAtMs >= read.beganAtMs || write.w <= forgetful(history)) continue
        if (key.accountsFor(read, write)) continue
        violations.push({
          checker: 'session-reads',
          message: `${describeOperation(read)} does not see its session's ${describeOperation(write)}`,
          operations: [write.id, read.id],
        })
      }
    }
  }
  return { violations }
}
