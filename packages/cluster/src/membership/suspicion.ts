import type { NodeId } from '../node/identity.js'
import { type SuspicionBounds, suspicionTimeoutMs } from './suspicion-timeout.js'

/** One suspect: since when, and who says so. */
export class Suspicion {
  readonly #bounds: SuspicionBounds
  readonly #accusers: Set<NodeId>
  #sinceMs: number

  constructor(bounds: SuspicionBounds, accuser: NodeId, nowMs: number) {
    this.#bounds = bounds
    this.#accusers = new Set([accuser])
    this.#sinceMs = nowMs
  }

  get endsAtMs(): number {
    return this.#sinceMs + suspicionTimeoutMs(this.#bounds, this.#accusers.size - 1)
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
  }
}
