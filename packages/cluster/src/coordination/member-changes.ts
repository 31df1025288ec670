import type { MemberNumber, NodeId } from '../node/identity.js'
import { claimPartitions } from '../placement/claim-policy.js'
import { ChangeRefusal } from './change-outcome.js'
import type { NewNode } from './create-topology.js'
import type { Member, MemberState, Topology } from './topology.js'
import { topologyLimits } from './topology-limits.js'
import { chooseVoters } from './voter-policy.js'

/**
 * A node asks in. The member number and the incarnation are given here. A node whose id is known with another life has lost its
 * data: it is a new member, and the old one leaves as if dead; what that owned moves, because the new one has none of it.
 *
 * Compare-and-set on the incarnation, `after`: what a life asked for that has ended since, and that arrives late, must not supplant the next one.
 */
export function join(topology: Topology, node: NewNode, life: string, after?: number): Topology {
  const known = topology.members.filter(({ id }) => id === node.id)
  if (known.some((each) => each.life === life)) return topology
  const newest = newestIncarnation(topology, node.id)
  if (after !== undefined && after !== newest)
    throw new ChangeRefusal('CASKADE_OTHER_LIFE', `node ${node.id} has had incarnation ${newest}, not ${after}`)
  const present = topology.members.filter(({ state }) => state !== 'removed')
  if (present.length >= topologyLimits.members)
    throw new ChangeRefusal('CASKADE_TOO_MANY', `${topologyLimits.members} members are the most`)
  const member: Member = {
    ...node,
    number: topology.nextMember,
    incarnation: newest + 1,
    life,
    state: 'joining',
  }
  const replaced = known.filter(({ state }) => state !== 'removed').map(({ number }) => number)
  return retarget({
    ...topology,
    nextMember: topology.nextMember + 1,
    members: [...withState(topology.members, replaced, 'leaving'), member],
  })
}

/** 0: there was none. */
export function newestIncarnation({ members }: Topology, id: NodeId): number {
  return members.reduce((newest, each) => (each.id === id ? Math.max(newest, each.incarnation) : newest), 0)
}

/** The member gives away what it owns; dead or alive: until that is done, it counts as the owner that it is. */
export function leave(topology: Topology, number: MemberNumber): Topology {
  if (memberOf(topology, number).state === 'leaving') return topology
  const left = { ...topology, members: withState(topology.members, [number], 'leaving') }
  if (!left.members.some(({ state }) => state === 'up'))
    throw new ChangeRefusal('CASKADE_LAST_MEMBER', `no member is up but ${number}: add another one first`)
  return retarget(left)
}

/** Both in one epoch: what the old one owns moves once, to the new one where placement allows. */
export function replace(topology: Topology, number: MemberNumber, node: NewNode, life: string): Topology {
  if (topology.members.some((each) => each.id === node.id && each.life === life)) return topology
  memberOf(topology, number)
  return join({ ...topology, members: withState(topology.members, [number], 'leaving') }, node, life)
}

/** A node has come back under another address. */
export function readdress(topology: Topology, number: MemberNumber, address: string): Topology {
  if (memberOf(topology, number).address === address) return topology
  return {
    ...topology,
    members: topology.members.map((each) => (each.number === number ? { ...each, address } : each)),
  }
}

/** Plans anew where every partition should be; what is under way goes on, and from there. */
export function retarget(topology: Topology): Topology {
  const placed = topology.members.filter(({ state }) => state === 'joining' || state === 'up')
  return {
    ...topology,
    target: claimPartitions(placed, topology.partitions, topology.settings.replicas, topology.target),
  }
}

/** Who has all that it should own is up. */
export function promote(topology: Topology): Topology {
  const waiting = new Set<MemberNumber>()
  for (const [partition, row] of topology.target.entries())
    for (const number of row) if (!topology.claim[partition]!.includes(number)) waiting.add(number)
  const ready = topology.members.filter(({ number, state }) => state === 'joining' && !waiting.has(number))
  const numbers = ready.map(({ number }) => number)
  return { ...topology, members: withState(topology.members, numbers, 'up') }
}

/** Fills up or replaces voters; those that an operator has chosen stay as long as they may. */
export function settleVoters(topology: Topology): Topology {
  const voters = chooseVoters(topology.members, topology.voters)
  // Nobody is up while every member is being replaced: better the old voters than none.
  return voters.length === 0 ? topology : { ...topology, voters }
}

/** Who is to leave, owns nothing and does not vote is removed. */
export function dismiss(topology: Topology): Topology {
  const needed = new Set<MemberNumber>(topology.voters)
  for (const row of topology.claim) for (const number of row) needed.add(number)
  for (const { to } of topology.moves) for (const number of to) needed.add(number)
  const done = topology.members.filter(({ number, state }) => state === 'leaving' && !needed.has(number))
  const numbers = done.map(({ number }) => number)
  return { ...topology, members: forgetOldest(withState(topology.members, numbers, 'removed')) }
}

export function memberOf(topology: Topology, number: MemberNumber): Member {
  const member = topology.members.find((each) => each.number === number)
  if (member === undefined || member.state === 'removed')
    throw new ChangeRefusal('CASKADE_NO_SUCH_MEMBER', `no member ${number} at epoch ${topology.epoch}`)
  return member
}

const withState = (members: readonly Member[], numbers: readonly MemberNumber[], state: MemberState) =>
  members.map((each) => (numbers.includes(each.number) ? { ...each, state } : each))

function forgetOldest(members: readonly Member[]): readonly Member[] {
  let excess = members.filter(({ state }) => state === 'removed').length - topologyLimits.removed
  return excess <= 0 ? members : members.filter(({ state }) => state !== 'removed' || excess-- <= 0)
}

export const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((each, i) => each === b[i])
