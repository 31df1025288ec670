import type { MemberNumber, NodeId } from '../node/identity.js'

/** What placement needs to know of a member of the topology. */
export interface PlacementMember {
  number: MemberNumber
  id: NodeId
  host: string
  zone: string
}

/** Tokens per member. More make the order of owners even; 64 keep 100 members in 50 KB. */
export const tokensPerMember = 64

/**
 * The consistent-hash circle (Karger et al., 1997): each member at many places, its virtual nodes. It decides who is
 * preferred where; how much each member takes is the claim's business.
 */
export interface Ring {
  readonly members: readonly PlacementMember[]
  /** Ascending, in [0, 2^32). */
  readonly tokens: Uint32Array
  /** Of each token, the index in `members`. */
  readonly holders: Uint16Array
}

/** Same ring for every order of `members`. Tokens come from the node id: a node keeps its places when its number changes. */
export function buildRing(members: readonly PlacementMember[], tokens = tokensPerMember): Ring {
  const sorted = members.toSorted((a, b) => a.number - b.number)
  const places: { token: number; holder: number }[] = []
  for (const [holder, { id }] of sorted.entries())
    for (let i = 0; i < tokens; i++) places.push({ token: tokenOf(id, i), holder })
  places.sort((a, b) => a.token - b.token || a.holder - b.holder)
  return {
    members: sorted,
    tokens: Uint32Array.from(places, ({ token }) => token),
    holders: Uint16Array.from(places, ({ holder }) => holder),
  }
}

/** FNV-1a over the id, then the finisher of MurmurHash3, which spreads neighbours over the circle. */
function tokenOf(id: NodeId, virtualNode: number): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ virtualNode, 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** Where a partition stands on the circle. */
export const pointOf = (partition: number, partitions: number): number => Math.floor((partition * 2 ** 32) / partitions)

/** Every member once, in the order in which their tokens follow the point. Cost: the tokens in between. */
export function membersFrom(ring: Ring, point: number): PlacementMember[] {
  const { members, tokens, holders } = ring
  const seen = new Set<number>()
  for (let i = firstTokenFrom(tokens, point), left = tokens.length; left > 0 && seen.size < members.length; left--) {
    seen.add(holders[i]!)
    i = i + 1 === tokens.length ? 0 : i + 1
  }
  return Array.from(seen, (holder) => members[holder]!)
}

/** Index of the first token at or after the point, going round. */
function firstTokenFrom(tokens: Uint32Array, point: number): number {
  let low = 0
  let high = tokens.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (tokens[middle]! < point) low = middle + 1
    else high = middle
  }
  return low === tokens.length ? 0 : low
}
