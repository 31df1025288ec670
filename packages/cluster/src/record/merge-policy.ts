import { covers, joinVectors } from '../causality/version-vector.js'
import { siblingsMaxLimit } from './record-format.js'
import { compareDots, compareWinners, type RecordState, type Sibling, sameRequest, winnerOf } from './record-state.js'
import type { Resolution, ResolutionCounters } from './resolution.js'

/** Everything that either state has seen, and every sibling that neither knows to be overwritten. No rule applied. */
export function mergeStates(a: RecordState, b: RecordState): RecordState {
  const siblings: Sibling[] = []
  for (const each of a.siblings) if (has(b, each) || !covers(b.history, each.actor, each.counter)) siblings.push(each)
  for (const each of b.siblings) if (!has(a, each) && !covers(a.history, each.actor, each.counter)) siblings.push(each)
  return { history: joinVectors(a.history, b.history), siblings: siblings.sort(compareDots) }
}

const has = ({ siblings }: RecordState, dot: Sibling) => siblings.some((each) => compareDots(each, dot) === 0)

/**
 * Merge under last-writer-wins: the later of the two winners. A join of two semilattices, so any order of merges gives the
 * same record; by causality alone (`mergeStates`, then the winner) a loser of one merge could be known as overwritten in
 * another, and nothing would be left. Right because a write's stamp follows those of all writes it has seen.
 */
export function mergeByLww(a: RecordState, b: RecordState, counters?: ResolutionCounters): RecordState {
  const left = winnerOf(a.siblings)
  const right = winnerOf(b.siblings)
  const [winner, loser, winning] = compareWinners(left, right) >= 0 ? [left, right, a] : [right, left, b]
  if (counters !== undefined && !covers(winning.history, loser.actor, loser.counter)) counters.lwwLosses++
  return { history: joinVectors(a.history, b.history), siblings: [winner] }
}

/**
 * Two writes of one request are one event: a coordinator that heard nothing had it minted again by another owner. The
 * smaller dot stays.
 */
export function withoutRetries(siblings: readonly Sibling[]): readonly Sibling[] {
  if (siblings.length < 2) return siblings
  return siblings.filter((each, i) => !siblings.some((other, j) => j < i && sameRequest(other, each)))
}

/** Keeps the `siblingsMax` latest by stamp. They stay convergent: the latest of all is in every set. */
export function boundSiblings(
  siblings: readonly Sibling[],
  siblingsMax: number,
  counters?: ResolutionCounters,
): readonly Sibling[] {
  const kept = Math.min(siblingsMax, siblingsMaxLimit)
  if (siblings.length <= kept) return siblings
  if (counters !== undefined) counters.siblingOverflows += siblings.length - kept
  return siblings
    .toSorted((a, b) => compareWinners(b, a))
    .slice(0, kept)
    .sort(compareDots)
}

/** Merge as the bucket's rule has it. Same result on every node and for either order of the arguments. */
export function mergeByRule(
  a: RecordState,
  b: RecordState,
  resolution: Resolution,
  counters?: ResolutionCounters,
): RecordState {
  if (resolution.rule === 'lww') return mergeByLww(a, b, counters)
  const { history, siblings } = mergeStates(a, b)
  // Each state takes the other's siblings for overwritten: only made-up contexts do that. A record is never empty.
  if (siblings.length === 0) return mergeByLww(a, b, counters)
  return { history, siblings: boundSiblings(withoutRetries(siblings), resolution.siblingsMax, counters) }
}
