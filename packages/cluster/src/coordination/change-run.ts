import type { Now } from '../node/now.js'
import type { Register, RegisterReply } from './register.js'
import type { ChangeId, Topology } from './topology.js'
import { changeTopology, type TopologyChange } from './topology-change.js'
import type { ChangeResult } from './topology-change-request.js'

/**
 * One change on its way: applied to the newest topology known, compared and set, and applied anew to what another change left, until it
 * is in, or is refused by a topology that was newest when the change was already asked for.
 */
export class ChangeRun implements RegisterReply {
  readonly #register: Register
  readonly #change: TopologyChange
  readonly #id: ChangeId
  readonly #deadlineMs: number
  readonly #done: (result: ChangeResult, now: Now) => void
  /** Some value with this change has left the node: it may be in, though a later attempt fails. */
  #offered = false
  /** The topology applied to is no older than the change. */
  #fresh = false

  constructor(
    register: Register,
    change: TopologyChange,
    id: ChangeId,
    deadlineMs: number,
    done: (result: ChangeResult, now: Now) => void,
  ) {
    this.#register = register
    this.#change = change
    this.#id = id
    this.#deadlineMs = deadlineMs
    this.#done = done
  }

  start(known: Topology, now: Now): void {
    const outcome = changeTopology(known, this.#change, this.#id)
    if (outcome.status === 'changed') this.#register.compareAndSet(outcome.topology, this.#deadlineMs, this, now)
    else if (outcome.status === 'unchanged' && (this.#fresh || known.recentChanges.includes(this.#id)))
      this.#done({ status: 'ok', epoch: known.epoch }, now)
    else if (outcome.status === 'refused' && this.#fresh)
      this.#done({ status: 'error', code: outcome.code, message: outcome.message }, now)
    else this.#register.read(this.#deadlineMs, this, now)
  }

  done(topology: Topology, now: Now): void {
    this.#fresh = true
    this.start(topology, now)
  }

  conflict(topology: Topology, now: Now): void {
    this.#fresh = true
    this.start(topology, now)
  }

  failed(uncertain: boolean, now: Now): void {
    this.#offered ||= uncertain
    this.#done(
      this.#offered
        ? {
            status: 'error',
            code: 'CASKADE_UNCERTAIN',
            message: 'too few voters answered: retry with the same change id',
          }
        : { status: 'error', code: 'CASKADE_UNAVAILABLE', message: 'too few voters answer: nothing was changed' },
      now,
    )
  }
}
