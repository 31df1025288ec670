import type { MemberNumber } from '../node/identity.js'
import type { PlacementMember } from './ring.js'

/** How many replicas of one partition a host, and a zone, may hold: as few as the cluster allows. */
export interface Spread {
  perHost: number
  perZone: number
}

/** Distinct hosts first, then distinct zones. */
export function spreadOf(members: readonly PlacementMember[], n: number): Spread {
  const copies = Math.min(n, members.length)
  const perHost = leastLimit(
    copies,
    groups(members, hostOf).map((host) => host.length),
  )
  const perZone = leastLimit(
    copies,
    groups(members, zoneOf).map((zone) => capacityOf(zone, perHost)),
  )
  return { perHost, perZone }
}

/** The least limit per vessel with which vessels of these sizes take `copies`. */
function leastLimit(copies: number, sizes: readonly number[]): number {
  for (let limit = 1; limit < copies; limit++)
    if (sizes.reduce((sum, size) => sum + Math.min(limit, size), 0) >= copies) return limit
  return Math.max(1, copies)
}

/** Replicas of one partition that fit into a zone. */
const capacityOf = (zone: readonly PlacementMember[], perHost: number) =>
  groups(zone, hostOf).reduce((sum, host) => sum + Math.min(perHost, host.length), 0)

export const zoneOf = ({ zone }: PlacementMember): string => zone
/** Hosts of one name in two zones are two hosts. */
export const hostOf = ({ zone, host }: PlacementMember): string => `${zone}\0${host}`

/**
 * The fair share of each member, in partitions: all equal, unless hosts or zones are of unequal size. A zone takes at most what
 * its limit per partition allows, then a host, then a member: what one cannot take, the others bear. Real numbers, which
 * add up to all replicas.
 */
export function fairShares(
  members: readonly PlacementMember[],
  partitions: number,
  n: number,
): Map<MemberNumber, number> {
  const { perHost, perZone } = spreadOf(members, n)
  const shares = new Map<MemberNumber, number>()
  const zones = groups(members, zoneOf)
  const zoneShares = fill(
    partitions * Math.min(n, members.length),
    zones.map((zone) => ({ parts: zone.length, limit: partitions * Math.min(perZone, capacityOf(zone, perHost)) })),
  )
  for (const [i, zone] of zones.entries()) {
    const hosts = groups(zone, hostOf)
    const hostShares = fill(
      zoneShares[i]!,
      hosts.map((host) => ({ parts: host.length, limit: partitions * Math.min(perHost, host.length) })),
    )
    for (const [j, host] of hosts.entries())
      for (const { number } of host) shares.set(number, hostShares[j]! / host.length)
  }
  return shares
}

/** Pours `total` into vessels in proportion to their parts; what a full one cannot take goes to the others. */
function fill(total: number, vessels: readonly { parts: number; limit: number }[]): number[] {
  const shares = vessels.map(() => 0)
  let open = vessels.map((_, i) => i)
  let left = total
  while (open.length > 0) {
    const level = left / open.reduce((sum, i) => sum + vessels[i]!.parts, 0)
    const full = open.filter((i) => level * vessels[i]!.parts > vessels[i]!.limit)
    if (full.length === 0) {
      for (const i of open) shares[i] = level * vessels[i]!.parts
      return shares
    }
    for (const i of full) {
      shares[i] = vessels[i]!.limit
      left -= shares[i]!
    }
    open = open.filter((i) => !full.includes(i))
  }
  return shares
}

/** Members by label, in the order in which labels first come. */
function groups(
  members: readonly PlacementMember[],
  labelOf: (member: PlacementMember) => string,
): PlacementMember[][] {
  const byLabel = new Map<string, PlacementMember[]>()
  for (const member of members) {
    const label = labelOf(member)
    const group = byLabel.get(label)
    if (group === undefined) byLabel.set(label, [member])
    else group.push(member)
  }
  return [...byLabel.values()]
}
