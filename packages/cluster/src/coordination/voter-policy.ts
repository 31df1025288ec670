import type { MemberNumber } from '../node/identity.js'
import type { Member } from './topology.js'

/** Voters for so many members: odd, so that each bears as many losses as one more would; beyond five, agreeing only gets slower. */
export function votersWanted(members: number): number {
  return members >= 5 ? 5 : members >= 3 ? 3 : Math.min(members, 1)
}

/**
 * Who holds the register: the voters there are, as long as they may, then members on hosts and in zones that have none yet, by number.
 * Only members that are up: one that is joining does not know its number before the change that made it a voter is chosen. None, if nobody
 * is up.
 */
export function chooseVoters(members: readonly Member[], voters: readonly MemberNumber[]): MemberNumber[] {
  const eligible = members.filter(({ state }) => state === 'up')
  const wanted = votersWanted(eligible.length)
  const chosen = eligible.filter(({ number }) => voters.includes(number)).slice(0, Math.max(wanted, voters.length))
  while (chosen.length < wanted) {
    const crowding = (member: Member) =>
      4 * chosen.filter(({ host }) => host === member.host).length +
      chosen.filter(({ zone }) => zone === member.zone).length
    const others = eligible.filter((each) => !chosen.includes(each))
    chosen.push(others.reduce((best, each) => (crowding(each) < crowding(best) ? each : best)))
  }
  return chosen.map(({ number }) => number).sort((a, b) => a - b)
}
