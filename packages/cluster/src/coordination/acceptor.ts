import type { MemberNumber } from '../node/identity.js'
import type { ReplicaStore } from '../store/replica-store.js'
import { type Ballot, compareBallots } from './ballot.js'
import {
  type AcceptedMessage,
  type AcceptMessage,
  decodeAcceptance,
  decodePromised,
  encodeAcceptance,
  encodePromised,
  type PrepareMessage,
  type PromiseMessage,
} from './coordination-format.js'

const promisedName = 'acceptor-promised'
const acceptedName = 'acceptor-accepted'

/**
 * One voter of the register: promises to ignore lower ballots, and accepts values. After the acceptor of CASPaxos (Rystsov, 2018).
 *
 * Durability: every answer speaks of what was just written, so it may leave only when the store's `ticket`, as of the answer, is durable.
 * Crash window: an answer that never left promised nothing to anybody; state that is durable without its answer is only stricter.
 */
export class Acceptor {
  readonly #store: ReplicaStore
  readonly #self: MemberNumber
  #promised: Ballot
  #acceptedAt: Ballot
  #value: Uint8Array

  /** @throws CASKADE_CORRUPTION, CASKADE_IO, MalformedFrameError: a voter that does not know what it promised must not vote */
  constructor(store: ReplicaStore, self: MemberNumber) {
    this.#store = store
    this.#self = self
    const { ballot, value } = decodeAcceptance(store.getMeta(acceptedName))
    const promised = decodePromised(store.getMeta(promisedName))
    this.#acceptedAt = ballot
    this.#value = value
    // To accept is to promise.
    this.#promised = compareBallots(ballot, promised) > 0 ? ballot : promised
  }

  /** Empty: nothing yet. It may be chosen, or may never be. */
  get accepted(): Uint8Array {
    return this.#value
  }

  /** @throws what the store throws: then there is no answer */
  prepare({ ballot }: PrepareMessage): PromiseMessage {
    if (compareBallots(ballot, this.#promised) > 0) {
      this.#store.putMeta(promisedName, encodePromised(ballot))
      this.#promised = ballot
    }
    return { ...this.#answer(ballot), acceptedAt: this.#acceptedAt, value: this.#value }
  }

  /** @throws what the store throws: then there is no answer */
  accept({ ballot, value }: AcceptMessage): AcceptedMessage {
    if (compareBallots(ballot, this.#promised) >= 0 && compareBallots(ballot, this.#acceptedAt) !== 0) {
      const kept = new Uint8Array(value)
      this.#store.putMeta(acceptedName, encodeAcceptance(ballot, kept))
      this.#promised = ballot
      this.#acceptedAt = ballot
      this.#value = kept
    }
    return this.#answer(ballot)
  }

  #answer(ballot: Ballot): AcceptedMessage {
    return { voter: this.#self, ballot, promised: this.#promised }
  }
}
