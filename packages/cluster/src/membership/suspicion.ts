import type { NodeId } from '../node/identity.js'
import { type SuspicionBounds, suspicionTimeoutMs } from './suspicion-timeout.js'

/** No call is worth it later than this before the end. */
const callMsMin = 250

/** One suspect: since when, and who says so. */
export class Suspicion {
  readonly #bounds: SuspicionBounds
  readonly #accusers: Set<NodeId>
  #sinceMs: number
  #calledMs: number

  constructor(bounds: SuspicionBounds, accuser: NodeId, nowMs: number) {
    this.#bounds = bounds
    this.#accusers = new Set([accuser])
    this.#sinceMs = nowMs
    this.#calledMs = nowMs
  }

  get endsAtMs(): number {
    return this.#sinceMs + suspicionTimeoutMs(this.#bounds, this.#accusers.size - 1)
  }

  /**
   * When the suspect is to be told next: halfway to the end, then halfway again. It may have been cut off when the rumour went round, and the
   * probes of an accuser who is in bad health are a minute apart.
   */
  get callAtMs(): number {
    const { endsAtMs } = this
    return endsAtMs - this.#calledMs < 2 * callMsMin ? Infinity : (this.#calledMs + endsAtMs) / 2
  }

  called(nowMs: number): void {
    this.#calledMs = nowMs
  }

  /** False: it changes nothing, and need not be passed on. */
  confirm(accuser: NodeId): boolean {
    if (this.#accusers.size > this.#bounds.confirmations || this.#accusers.has(accuser)) return false
    this.#accusers.add(accuser)
    return true
  }

  /** Time in which this node did not listen does not count. */
  extend(ms: number): void {
    this.#sinceMs += ms
    this.#calledMs += ms
  }
}
