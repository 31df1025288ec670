import { byKey, type Checker, describeOperation, type Violation } from '../history.js'
import { KeyHistory } from '../key-history.js'

/** What a read returns, somebody wrote under that key, began before, and was not told that it failed. */
export const inventedValues: Checker = (history) => {
  const violations: Violation[] = []
  const all = [...history.operations, ...history.probes, ...history.finalReads]
  for (const operations of byKey(all).values()) {
    const key = new KeyHistory(operations, history)
    for (const read of operations) {
      if (read.kind !== 'get' || read.outcome !== 'ok') continue
      for (const value of read.values) {
        const write = key.writeOf(value)
        if (write !== undefined && write.outcome !== 'failed' && write.beganAtMs <= read.endedAtMs) continue
        const reason =
          write === undefined
            ? 'which nobody wrote there'
            : write.outcome === 'failed'
              ? `of a write that was said to have failed: ${describeOperation(write)}`
              : `before it was written: ${describeOperation(write)}`
        violations.push({
          checker: 'invented-values',
          message: `${describeOperation(read)} returns ${value}, ${reason}`,
          operations: write === undefined ? [read.id] : [write.id, read.id],
        })
      }
    }
  }
  return { violations }
}
