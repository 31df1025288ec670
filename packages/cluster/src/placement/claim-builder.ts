import type { MemberNumber } from '../node/identity.js'
import type { Claim } from './claim.js'
import { fairShares, hostOf, type Spread, spreadOf, zoneOf } from './quota-policy.js'
import { buildRing, membersFrom, type PlacementMember, pointOf } from './ring.js'

/** How much a member, a host or a zone has, and how much it should have. */
interface Vessel {
  load: number
  share: number
}

/** A member and the vessels it stands in. */
export interface Candidate {
  member: PlacementMember
  own: Vessel
  host: Vessel
  zone: Vessel
  partitions: Set<number>
  /** Had nothing in the previous claim. */
  isNew: boolean
}

/** A claim in the making: who has what, and who may take it. */
export class ClaimBuilder {
  readonly candidates: Candidate[]
  readonly copies: number
  readonly #spread: Spread
  readonly #owners: Candidate[][]
  /** Of each partition, every candidate in ring order. */
  readonly #order: Candidate[][]

  constructor(members: readonly PlacementMember[], partitions: number, n: number, previous: Claim) {
    this.copies = Math.min(n, members.length)
    this.#spread = spreadOf(members, n)
    const ring = buildRing(members)
    this.candidates = candidatesOf(ring.members, partitions, n)
    const byNumber = new Map<MemberNumber, Candidate>(this.candidates.map((each) => [each.member.number, each]))
    this.#order = Array.from({ length: partitions }, (_, partition) =>
      membersFrom(ring, pointOf(partition, partitions)).map(({ number }) => byNumber.get(number)!),
    )
    this.#owners = Array.from({ length: partitions }, () => [])
    const before = new Set<MemberNumber>()
    for (const [partition, owners] of previous.entries())
      for (const number of owners) {
        before.add(number)
        const owner = byNumber.get(number)
        // An owner that is gone, or that breaks the spread now that there is room for a better one, leaves a gap.
        if (owner !== undefined && this.missing(partition) > 0 && this.mayTake(partition, owner))
          this.add(partition, owner)
      }
    for (const each of this.candidates) each.isNew = !before.has(each.member.number)
  }

  missing(partition: number): number {
    return this.copies - this.#owners[partition]!.length
  }

  /** Every candidate in the ring order of the partition. */
  order(partition: number): readonly Candidate[] {
    return this.#order[partition]!
  }

  /** Would the replicas still be spread if it took one of the partition, in place of `from` if given? */
  mayTake(partition: number, candidate: Candidate, from?: Candidate): boolean {
    let onHost = 0
    let inZone = 0
    for (const owner of this.#owners[partition]!) {
      if (owner === candidate) return false
      if (owner === from) continue
      if (owner.host === candidate.host) onHost++
      if (owner.zone === candidate.zone) inZone++
    }
    return onHost < this.#spread.perHost && inZone < this.#spread.perZone
  }

  add(partition: number, candidate: Candidate): void {
    this.#owners[partition]!.push(candidate)
    candidate.partitions.add(partition)
    for (const vessel of [candidate.own, candidate.host, candidate.zone]) vessel.load++
  }

  move(partition: number, from: Candidate, to: Candidate): void {
    const owners = this.#owners[partition]!
    owners.splice(owners.indexOf(from), 1)
    from.partitions.delete(partition)
    for (const vessel of [from.own, from.host, from.zone]) vessel.load--
    this.add(partition, to)
  }

  finish(): Claim {
    return this.#owners.map((owners, partition) =>
      this.#order[partition]!.filter((each) => owners.includes(each)).map(({ member }) => member.number),
    )
  }
}

function candidatesOf(members: readonly PlacementMember[], partitions: number, n: number): Candidate[] {
  const shares = fairShares(members, partitions, n)
  const vessels = new Map<string, Vessel>()
  const pour = (name: string, share: number) => {
    const vessel = vessels.get(name) ?? { load: 0, share: 0 }
    vessel.share += share
    vessels.set(name, vessel)
    return vessel
  }
  return members.map((member) => {
    const share = shares.get(member.number)!
    return {
      member,
      own: { load: 0, share },
      host: pour(`host ${hostOf(member)}`, share),
      zone: pour(`zone ${zoneOf(member)}`, share),
      partitions: new Set(),
      isNew: true,
    }
  })
}
