import type { Checker, ReplicaCopy, Violation } from '../history.js'

/** When the faults are over and repair has run, all owners of a key have the very same record. */
export const convergence: Checker = ({ copies }) => {
  const violations: Violation[] = []
  const keys = new Map<string, ReplicaCopy[]>()
  for (const copy of copies) keys.set(copy.key, [...(keys.get(copy.key) ?? []), copy])
  for (const [key, replicas] of keys) {
    if (new Set(replicas.map(({ record }) => record)).size === 1) continue
    const each = replicas.map(({ node, record }) => `node ${node} has ${record ?? 'none'}`)
    violations.push({ checker: 'convergence', message: `${key} differs: ${each.join('; ')}`, operations: [] })
  }
  return { violations }
}
