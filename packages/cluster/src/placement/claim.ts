import type { MemberNumber } from '../node/identity.js'

/**
 * Which members own which partition: of each partition its owners, in ring order. An explicit table, kept in the topology, so
 * that no two nodes ever compute it differently. A value: never changed after it is made.
 */
export type Claim = readonly (readonly MemberNumber[])[]

/** How many partitions each member owns; members that own none are absent. */
export function loadsOf(claim: Claim): Map<MemberNumber, number> {
  const loads = new Map<MemberNumber, number>()
  for (const owners of claim) for (const member of owners) loads.set(member, (loads.get(member) ?? 0) + 1)
  return loads
}

/** One partition that changes hands. */
export interface OwnerChange {
  partition: number
  /** Ascending; as many as are lost, unless members or replicas became more or fewer. */
  gained: MemberNumber[]
  lost: MemberNumber[]
}

/** What it takes to get from one claim to another over the same partitions. A change of order alone is none. */
export function ownerChanges(from: Claim, to: Claim): OwnerChange[] {
  const changes: OwnerChange[] = []
  for (const [partition, after] of to.entries()) {
    const before = from[partition] ?? []
    const gained = after.filter((member) => !before.includes(member)).sort((a, b) => a - b)
    const lost = before.filter((member) => !after.includes(member)).sort((a, b) => a - b)
    if (gained.length > 0 || lost.length > 0) changes.push({ partition, gained, lost })
  }
  return changes
}
