import type { Actor, MemberNumber } from '../node/identity.js'

const epochs = 2 ** 32

/** Largest member number: 21 bits, so that an actor stays a safe integer. */
export const memberNumberMax = 2 ** 21 - 1
/** Largest minting epoch. */
export const mintingEpochMax = epochs - 1

/** Who mints dots: a member in one of its minting epochs. */
export function actorOf(member: MemberNumber, epoch: number): Actor {
  if (!(Number.isInteger(member) && member >= 1 && member <= memberNumberMax))
    throw new RangeError(`a member number is an integer from 1 to ${memberNumberMax}, not ${member}`)
  if (!(Number.isInteger(epoch) && epoch >= 0 && epoch <= mintingEpochMax))
    throw new RangeError(`a minting epoch is an integer from 0 to ${mintingEpochMax}, not ${epoch}`)
  return member * epochs + epoch
}

export const memberOfActor = (actor: Actor): MemberNumber => Math.floor(actor / epochs)
export const epochOfActor = (actor: Actor): number => actor % epochs
