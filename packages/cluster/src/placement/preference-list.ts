import type { MemberNumber } from '../node/identity.js'
import type { Claim } from './claim.js'
import { membersFrom, pointOf, type Ring } from './ring.js'

/**
 * The owners of a partition in ring order, then the fallbacks: every other member, in ring order, those on hosts of no
 * owner first, since an owner's host may be what is gone.
 */
export function preferenceList(claim: Claim, ring: Ring, partition: number): MemberNumber[] {
  const owners = claim[partition] ?? []
  const order = membersFrom(ring, pointOf(partition, claim.length))
  const hosts = new Set(order.filter(({ number }) => owners.includes(number)).map(({ host }) => host))
  const fallbacks = order.filter(({ number }) => !owners.includes(number))
  return [
    ...owners,
    ...[...fallbacks.filter(({ host }) => !hosts.has(host)), ...fallbacks.filter(({ host }) => hosts.has(host))].map(
      ({ number }) => number,
    ),
  ]
}
