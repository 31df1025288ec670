import type { NodeId } from '../node/identity.js'
import type { Verdict } from '../node/liveness.js'

/**
 * When a node last said that it is alive. SWIM calls it the incarnation number, and only its node raises it. Here the life of the node, its
 * process (`boot` counts the starts, and is on disk) and a count of refutations in this process make up one number: a restart needs
 * no refutation, and a node that finds a later process of itself knows that its disk is an old copy.
 */
export interface Assertion {
  readonly incarnation: number
  readonly boot: number
  /** Random, drawn by the process. */
  readonly run: number
  readonly refutation: number
}

/** What is said of one node. */
export interface Rumour extends Assertion {
  readonly id: NodeId
  readonly verdict: Verdict
  readonly address: string
  /** Of a suspicion: who says so, of his own knowledge. Confirmations come from different ones. */
  readonly accuser: NodeId
}

export const nobody: NodeId = '0'.repeat(16)

const ranks: Record<Verdict, number> = { alive: 0, suspect: 1, dead: 2, left: 3 }

export const compareAssertions = (a: Assertion, b: Assertion): number =>
  a.incarnation - b.incarnation || a.boot - b.boot || a.run - b.run || a.refutation - b.refutation

/** Later assertions win; of equal ones the worse verdict does. A total order: all who have heard the same rumours agree. */
export function supersedes(rumour: Rumour, known: Rumour): boolean {
  const order = compareAssertions(rumour, known)
  return order > 0 || (order === 0 && ranks[rumour.verdict] > ranks[known.verdict])
}

/** Whether `other` is of the same life as `own` and of a process that `own`'s disk knows nothing of. */
export const isLaterProcess = (other: Assertion, own: Assertion): boolean =>
  other.incarnation === own.incarnation && (other.boot > own.boot || (other.boot === own.boot && other.run !== own.run))
