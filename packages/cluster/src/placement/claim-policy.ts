import type { Claim } from './claim.js'
import { type Candidate, ClaimBuilder } from './claim-builder.js'
import type { PlacementMember } from './ring.js'
import { checkPartitions } from './slot.js'

/** No member has more than this times its fair share, rounded: down, but not below one more than the whole of it. */
export const loadBound = 1.05

/**
 * Who owns what: `n` owners per partition (all members, if they are fewer), on distinct hosts, then in distinct zones, where there
 * are enough of them; no member above `loadBound`; and as much as possible as in `previous`. A member that joins takes its share
 * and a member that leaves gives its own: nothing moves between bystanders, unless spread or bound could not be kept
 * otherwise. The same arguments give the same claim, in whatever order the members come.
 *
 * After Mirrokni et al., "Consistent Hashing with Bounded Loads" (2018), and the claim of basho/riak_core. Cost: some 50 ms for
 * 100 members and 1024 partitions.
 */
export function claimPartitions(
  members: readonly PlacementMember[],
  partitions: number,
  n: number,
  previous: Claim = [],
): Claim {
  checkPartitions(partitions)
  if (!(Number.isInteger(n) && n >= 1)) throw new RangeError(`n: an integer from 1, not ${n}`)
  if (previous.length !== 0 && previous.length !== partitions)
    throw new RangeError(`the previous claim has ${previous.length} partitions, not ${partitions}: the number is fixed`)
  const builder = new ClaimBuilder(members, partitions, n, previous)
  fillGaps(builder, partitions)
  for (const candidate of builder.candidates) if (candidate.isNew) takeShare(builder, candidate)
  for (const candidate of builder.candidates) shedExcess(builder, candidate)
  return builder.finish()
}

/**
 * Gives each gap to the zone that lacks most, in it to the host, on it to the member; the ring breaks ties. Choosing the neediest
 * first is what makes the last gap as easy as the first (Gale and Ryser): one that must be in all that is left is in the next.
 */
function fillGaps(builder: ClaimBuilder, partitions: number): void {
  for (let partition = 0; partition < partitions; partition++)
    while (builder.missing(partition) > 0) {
      let best: Candidate | undefined
      for (const each of builder.order(partition))
        if (builder.mayTake(partition, each) && (best === undefined || compareNeed(each, best) > 0)) best = each
      if (best === undefined) break
      builder.add(partition, best)
    }
}

/** Positive if `a` lacks more than `b`. */
function compareNeed(a: Candidate, b: Candidate): number {
  return lack(a.zone) - lack(b.zone) || lack(a.host) - lack(b.host) || lack(a.own) - lack(b.own)
}

/** Rounded: shares are sums of fractions, and a difference in the last bit must not decide. */
const lack = ({ share, load }: Candidate['own']) => Math.round((share - load) * 1024) / 1024

/** A newcomer takes partitions from those who have most above their share, until it has its own. */
function takeShare(builder: ClaimBuilder, newcomer: Candidate): void {
  while (newcomer.own.load + 1 <= newcomer.own.share) {
    const donors = builder.candidates.filter((each) => !each.isNew && lack(each.own) < 0).sort(byExcess)
    const found = firstMove(builder, donors, [newcomer])
    if (found === undefined) return
    builder.move(found.partition, found.from, found.to)
  }
}

/** What is above the bound goes to those who lack most. */
function shedExcess(builder: ClaimBuilder, candidate: Candidate): void {
  while (candidate.own.load > boundOf(candidate)) {
    const takers = builder.candidates
      .filter(({ own }) => own.load + 1 <= Math.ceil(own.share))
      .sort((a, b) => byExcess(b, a))
    const found = firstMove(builder, [candidate], takers)
    if (found === undefined) return
    builder.move(found.partition, found.from, found.to)
  }
}

/** Most partitions that a member should have. */
const boundOf = ({ own }: Candidate) => Math.max(Math.ceil(own.share - 1e-6), Math.floor(loadBound * own.share))

const byExcess = (a: Candidate, b: Candidate) => lack(a.own) - lack(b.own) || a.member.number - b.member.number

/** The first partition of the first of `from` that the first of `to` may take. */
function firstMove(
  builder: ClaimBuilder,
  from: readonly Candidate[],
  to: readonly Candidate[],
): { partition: number; from: Candidate; to: Candidate } | undefined {
  for (const giver of from)
    for (const taker of to)
      for (const partition of giver.partitions)
        if (builder.mayTake(partition, taker, giver)) return { partition, from: giver, to: taker }
  return undefined
}
