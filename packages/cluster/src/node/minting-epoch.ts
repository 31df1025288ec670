import { actorOf } from '../causality/actor.js'
import { readU32, writeU32 } from '../causality/vector-bytes.js'
import type { ReplicaStore } from '../store/replica-store.js'
import { storeErrorCode } from '../store/store-error.js'
import type { Actor, MemberNumber } from './identity.js'

const metaName = 'minting-epoch'

/**
 * The second half of this node's actor. It is raised before anything that makes the node forget a record (a partition dropped, a hint
 * handed on, a tombstone collected, damage overwritten) and at an open that may have lost writes: a dot is one more than
 * the actor's last in the record, so what forgets records would mint the same dot twice.
 *
 * Crash window: the new epoch precedes the forgetting in the store's order of durability, and nothing minted under it leaves
 * before `ticket` is durable. A crash that loses the new epoch has lost the forgetting too.
 */
export class MintingEpoch {
  /** Of the write that raised it; 0: it was read. */
  ticket = 0
  #epoch: number
  readonly #store: ReplicaStore
  readonly #member: MemberNumber
  /** Who mints now, once `ensure` has not thrown. */
  actor: Actor
  /** Must be raised before anything is minted. */
  #stale: boolean

  /** @throws CASKADE_CORRUPTION, CASKADE_IO: a node that does not know its epoch must come back as a new incarnation */
  constructor(store: ReplicaStore, member: MemberNumber, keepEpoch = false) {
    this.#store = store
    this.#member = member
    const stored = store.getMeta(metaName)
    this.#epoch = stored === undefined ? 0 : readU32(stored, 0)
    this.actor = actorOf(member, this.#epoch)
    const mayHaveLost = store.lostUnsynced && !keepEpoch
    this.#stale = stored === undefined || mayHaveLost
    if (mayHaveLost) this.#raiseIfPossible()
  }

  /**
   * At the open itself, not at the first mint: before that the node may stop in good order, and the next open would know of no loss.
   * Without room it is left to `ensure`; a store without room does not end in good order either.
   */
  #raiseIfPossible(): void {
    try {
      this.raise()
    } catch (error) {
      if (storeErrorCode(error) === undefined) throw error
    }
  }

  /** Before a dot is minted. @throws what the store throws: then nothing may be minted */
  ensure(): void {
    if (this.#stale) this.raise()
  }

  /** @throws what the store throws: then nothing may be forgotten */
  raise(): void {
    const bytes = new Uint8Array(4)
    writeU32(bytes, 0, this.#epoch + 1)
    this.#store.putMeta(metaName, bytes)
    this.#epoch++
    this.#stale = false
    this.ticket = this.#store.ticket
    this.actor = actorOf(this.#member, this.#epoch)
  }
}
