import { type Checker, describeOperation } from '../history.js'

/** Once the faults have ended and the bound of recovery has passed, everything succeeds again. */
export const liveness: Checker = ({ probes, finalReads }) => ({
  violations: [...probes, ...finalReads]
    .filter(({ outcome }) => outcome !== 'ok')
    .map((operation) => ({
      checker: 'liveness',
      message: `after healing: ${describeOperation(operation)}`,
      operations: [operation.id],
    })),
})
