import { type Checker, describeOperation, keysBeyondRepair } from '../history.js'

/** Once the faults have ended and the bound of recovery has passed, everything succeeds again. */
export const liveness: Checker = (history) => {
  const beyondRepair = keysBeyondRepair(history)
  const violations = [...history.probes, ...history.finalReads]
    .filter(({ outcome, bucket, key }) => outcome !== 'ok' && !beyondRepair.has(`${bucket.name}/${key}`))
    .map((operation) => ({
      checker: 'liveness',
      message: `after healing: ${describeOperation(operation)}`,
      operations: [operation.id],
    }))
  return { violations }
}
