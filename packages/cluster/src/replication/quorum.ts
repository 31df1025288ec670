/**
 * Counting of answers, apart from everything that sends or waits (as etcd's `raft/quorum`).
 *
 * The nodes of one request are numbered by their place in `Route.members`; a set of them is a bit mask. While a partition
 * moves, two owner sets are in force and a quorum is a quorum in each.
 */

/** At most this many distinct nodes take part in one request: old and new owners together. */
export const membersMax = 30

export function count(mask: number): number {
  let bits = mask - ((mask >>> 1) & 0x55555555)
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333)
  return (((bits + (bits >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24
}

/** Whether the answers reach `need` in every set, or all of a set that is smaller: r + w > n holds for those too. */
export function reached(sets: readonly number[], answers: number, need: number): boolean {
  for (let i = 0; i < sets.length; i++) {
    const set = sets[i]!
    const missing = set & ~answers
    if (missing !== 0 && count(set) - count(missing) < need) return false
  }
  return true
}

/** Whether `need` in every set can still be reached once those in `failed` will never answer. */
export function reachable(sets: readonly number[], failed: number, need: number): boolean {
  return reached(sets, ~failed, need)
}

/** More than half. */
export function majority(n: number): number {
  return (n >>> 1) + 1
}

/** Whether every read of `r` meets one of the holders, in every set: fewer than `r` are without. */
export function met(sets: readonly number[], holders: number, r: number): boolean {
  for (let i = 0; i < sets.length; i++) {
    const set = sets[i]!
    if (count(set & ~holders) >= Math.min(r, count(set))) return false
  }
  return true
}

/** `[a b c] + [b c d], 2 of each: a b · · → waits`: for traces and tests. */
export function describe(names: readonly string[], sets: readonly number[], answers: number, need: number): string {
  const of = (mask: number) => names.filter((_, i) => (mask >>> i) & 1).join(' ')
  const drawn = names.map((name, i) => ((answers >>> i) & 1 ? name : '·')).join(' ')
  const verdict = reached(sets, answers, need) ? 'reached' : 'waits'
  return `${sets.map((set) => `[${of(set)}]`).join(' + ')}, ${need} of each: ${drawn} → ${verdict}`
}
