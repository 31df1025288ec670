import type { MemberNumber } from '../node/identity.js'
import { type Claim, loadsOf } from './claim.js'
import { hostOf } from './quota-policy.js'
import type { PlacementMember } from './ring.js'

/**
 * Draws a claim for people: one line per member with its load, then runs of partitions with the same owners. Short claims
 * only are readable in full; `partitionsMax` bounds the second part.
 */
export function describeClaim(members: readonly PlacementMember[], claim: Claim, partitionsMax = 64): string {
  const loads = loadsOf(claim)
  const total = [...loads.values()].reduce((sum, load) => sum + load, 0)
  const sorted = members.toSorted((a, b) => a.number - b.number)
  const labels = sorted.map((member) => `${member.number} ${hostOf(member).replace('\0', '/')}`)
  const width = Math.max(0, ...labels.map(({ length }) => length))
  const lines = sorted.map(({ number }, i) => {
    const load = loads.get(number) ?? 0
    const percent = total === 0 ? 0 : (100 * load) / total
    return `${labels[i]!.padEnd(width)}  ${String(load).padStart(5)}  ${percent.toFixed(1).padStart(5)} %  ${'#'.repeat(Math.round(percent))}`
  })
  return [...lines, '', ...runsOf(claim).slice(0, partitionsMax)].join('\n')
}

function runsOf(claim: Claim): string[] {
  const runs: string[] = []
  for (let first = 0, next: number; first < claim.length; first = next) {
    next = first + 1
    while (next < claim.length && sameOwners(claim[first]!, claim[next]!)) next++
    runs.push(`${first}${next - first > 1 ? `-${next - 1}` : ''}: ${claim[first]!.join(' ')}`)
  }
  return runs
}

const sameOwners = (a: readonly MemberNumber[], b: readonly MemberNumber[]) =>
  a.length === b.length && a.every((member, i) => member === b[i])
