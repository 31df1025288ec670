import type { Actor } from '../node/identity.js'

/**
 * What a state has seen: of each actor, every dot up to a counter. Flat: actor, counter, actor, counter, … with actors
 * ascending and counters at least 1, so that equal vectors are equal arrays.
 *
 * After Parker et al., "Detection of Mutual Inconsistency in Distributed Systems" (1983).
 */
export type VersionVector = readonly number[]

export const emptyVector: VersionVector = []

/** Of an actor, how many dots the vector has seen; 0 for none. Cost: the entries. */
export function counterOf(vector: VersionVector, actor: Actor): number {
  for (let i = 0; i < vector.length; i += 2) if (vector[i] === actor) return vector[i + 1]!
  return 0
}

/** Has `vector` seen the dot? */
export const covers = (vector: VersionVector, actor: Actor, counter: number): boolean =>
  counterOf(vector, actor) >= counter

/** Has `a` seen everything that `b` has? A partial order: reflexive, transitive, antisymmetric. */
export function descends(a: VersionVector, b: VersionVector): boolean {
  let i = 0
  for (let j = 0; j < b.length; j += 2) {
    while (i < a.length && a[i]! < b[j]!) i += 2
    if (i >= a.length || a[i] !== b[j] || a[i + 1]! < b[j + 1]!) return false
  }
  return true
}

/** The least vector that descends from both. */
export function joinVectors(a: VersionVector, b: VersionVector): VersionVector {
  if (b.length === 0) return a
  if (a.length === 0) return b
  const joined: number[] = []
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    const fromA = i < a.length ? a[i]! : Number.POSITIVE_INFINITY
    const fromB = j < b.length ? b[j]! : Number.POSITIVE_INFINITY
    if (fromA === fromB) joined.push(fromA, Math.max(a[i + 1]!, b[j + 1]!))
    else if (fromA < fromB) joined.push(fromA, a[i + 1]!)
    else joined.push(fromB, b[j + 1]!)
    if (fromA <= fromB) i += 2
    if (fromB <= fromA) j += 2
  }
  return joined
}

/** The vector that has seen this dot too. */
export const withDot = (vector: VersionVector, actor: Actor, counter: number): VersionVector =>
  covers(vector, actor, counter) ? vector : joinVectors(vector, [actor, counter])

/** The `version` of the HTTP API: how many writes the state has seen. Grows along every line of descent. */
export function versionOf(vector: VersionVector): number {
  let sum = 0
  for (let i = 1; i < vector.length; i += 2) sum += vector[i]!
  return sum
}
