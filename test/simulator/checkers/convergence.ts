import { type Checker, keysBeyondRepair, type ReplicaCopy, type Violation } from '../history.js'

/** When the faults are over and repair has run, all owners of a key have the very same record. */
export const convergence: Checker = (history) => {
  const { copies } = history
  const beyondRepair = keysBeyondRepair(history)
  const violations: Violation[] = []
  const keys = new Map<string, ReplicaCopy[]>()
  for (const copy of copies) keys.set(copy.key, [...(keys.get(copy.key) ?? []), copy])
  for (const [key, replicas] of keys) {
    if (beyondRepair.has(key)) continue
    const isDamaged = replicas.some(({ damaged }) => damaged)
    if (!isDamaged && new Set(replicas.map(({ record }) => record)).size === 1) continue
    const each = replicas.map(
      ({ node, record, damaged }) => `node ${node} has ${damaged ? 'a damaged one' : (record ?? 'none')}`,
    )
    violations.push({ checker: 'convergence', message: `${key} differs: ${each.join('; ')}`, operations: [] })
  }
  return { violations }
}
