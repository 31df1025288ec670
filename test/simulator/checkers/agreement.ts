import type { Checker, Violation } from '../history.js'

/**
 * What was told of changes of the topology holds: a bucket that was created is there, one that was not is not, epochs rise in the order of
 * time; and in the end all nodes have the same topology.
 */
export const agreement: Checker = ({ changes, finalTopologies }) => {
  const violations: Violation[] = []
  const complain = (message: string) => violations.push({ checker: 'agreement', message, operations: [] })
  const newest = finalTopologies.reduce((epoch, each) => Math.max(epoch, each.epoch), 0)
  for (const { node, epoch } of finalTopologies)
    if (epoch !== newest) complain(`node ${node} is at epoch ${epoch}, others at ${newest}`)
  const buckets = new Set(finalTopologies.find(({ epoch }) => epoch === newest)?.buckets)
  for (const { outcome, bucket } of changes) {
    if (outcome === 'ok' && bucket !== '' && !buckets.has(bucket)) complain(`bucket ${bucket} was created, and is gone`)
    if (outcome === 'failed' && buckets.has(bucket)) complain(`bucket ${bucket} was not created, and is there`)
  }
  const done = changes.filter(({ outcome }) => outcome === 'ok').sort((a, b) => a.endedAtMs - b.endedAtMs)
  for (const change of done) {
    const before = done.filter(({ endedAtMs }) => endedAtMs < change.beganAtMs).at(-1)
    // A change that alters nothing is answered with the epoch that it found.
    if (before !== undefined && change.epoch < before.epoch)
      complain(`epoch ${change.epoch} was told after epoch ${before.epoch}`)
  }
  return { violations, counts: { topologyChanges: done.length } }
}
