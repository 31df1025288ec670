import { describeOperation, type Operation } from './history.js'
import type { Plan } from './plan.js'
import type { Verdict } from './simulation-run.js'

export function describePlan({ seed, nodes, features, operations, faults, healAtMs, latencyMs, bugs }: Plan): string[] {
  const bug = bugs.length === 0 ? '' : `, with the bugs ${bugs.join(', ')}`
  return [
    `seed ${seed}: ${nodes} nodes, latency ${latencyMs.join('-')} ms, faults until ${healAtMs} ms${bug}`,
    `features: ${features.join(', ')}`,
    `${operations.length} operations, ${faults.length} faults`,
  ]
}

/** What happened, in order of time: faults as planned, operations as clients saw them. */
export function describeHistory({ plan, history, violations }: Verdict): string[] {
  const involved = new Set(violations.flatMap(({ operations }) => operations))
  const line = (operation: Operation) =>
    `${involved.has(operation.id) ? ' => ' : '    '}${describeOperation(operation)}`
  const moments = [
    ...plan.faults.map(({ kind, atMs, durationMs, details }) => ({
      atMs,
      text: `  ! ${atMs.toFixed(1)}-${atMs + durationMs} ${kind} ${JSON.stringify(details)}`,
    })),
    ...history.operations.map((operation) => ({ atMs: operation.beganAtMs, text: line(operation) })),
  ].sort((a, b) => a.atMs - b.atMs)
  const after = [...history.probes, ...history.finalReads].filter(({ id }) => involved.has(id))
  return [
    ...moments.map(({ text }) => text),
    `  ! ${plan.healAtMs} every fault has ended`,
    ...after.map(line),
    ...violations.map(({ checker, message }) => `violation of ${checker}: ${message}`),
  ]
}
