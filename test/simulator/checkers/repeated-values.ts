import { type Checker, describeOperation, type Violation } from '../history.js'

/** One write is one sibling, however often it was sent: no answer lists a value twice. */
export const repeatedValues: Checker = ({ operations, finalReads }) => {
  const violations: Violation[] = []
  for (const read of [...operations, ...finalReads]) {
    if (read.kind !== 'get' || read.bucket.rule !== 'siblings') continue
    if (new Set(read.values).size === read.values.length) continue
    violations.push({
      checker: 'repeated-values',
      message: `a write is there more than once: ${describeOperation(read)}`,
      operations: [read.id],
    })
  }
  return { violations }
}
