import {
  byKey,
  type Checker,
  describeOperation,
  forgetful,
  isWrite,
  type Operation,
  quorumsMeet,
  type Violation,
} from '../history.js'
import { KeyHistory } from '../key-history.js'

/** The acknowledged write took the place of this value. */
function replaced(write: Operation, value: string, key: KeyHistory): boolean {
  if (write.bucket.rule === 'union') return false
  const old = key.writeOf(value)
  if (old === undefined || old.contested) return false
  if (write.bucket.rule === 'siblings') return write.seen.includes(value)
  return old.timestampMs !== undefined && write.timestampMs !== undefined && old.timestampMs < write.timestampMs
}

/**
 * What an acknowledged write or deletion replaced does not come back: no read whose quorum meets the write's, begun after
 * it, shows it again; nor does any read at the end.
 */
export const resurrections: Checker = (history) => {
  const violations: Violation[] = []
  const all = [...history.operations, ...history.finalReads]
  for (const operations of byKey(all).values()) {
    const key = new KeyHistory(operations, history)
    const writes = operations.filter((each) => isWrite(each) && each.outcome === 'ok' && each.w > forgetful(history))
    for (const read of operations) {
      if (read.kind !== 'get' || read.outcome !== 'ok') continue
      for (const write of writes) {
        if (write.endedAtMs >= read.beganAtMs || !quorumsMeet(read, write)) continue
        if (read.r + write.w - read.bucket.n <= history.damagedNodes && !history.finalReads.includes(read)) continue
        const back = read.values.filter((value) => value !== write.value && replaced(write, value, key))
        if (back.length === 0) continue
        violations.push({
          checker: 'resurrections',
          message: `${back.join(', ')} came back: ${describeOperation(read)} after ${describeOperation(write)}`,
          operations: [...back.map((value) => key.writeOf(value)!.id), write.id, read.id],
        })
      }
    }
  }
  return { violations }
}
