import { type Checker, describeOperation } from '../history.js'

/** Every operation ends: a node that is up and not paused answers by the deadline. */
export const unanswered: Checker = ({ operations, probes, finalReads }) => ({
  violations: [...operations, ...probes, ...finalReads]
    .filter((operation) => operation.unanswered)
    .map((operation) => ({
      checker: 'unanswered',
      message: `no answer by the deadline: ${describeOperation(operation)}`,
      operations: [operation.id],
    })),
})
