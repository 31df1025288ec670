import type { NodeId } from '../node/identity.js'
import { rumourBytes } from './membership-format.js'
import type { Rumour } from './rumour.js'

/** λ log n: after so many sendings everybody has heard it, but for a chance of n^-λ or so (SWIM, section 4.1). */
export const transmitLimit = (nodes: number, retransmitMult: number): number =>
  retransmitMult * Math.ceil(Math.log10(nodes + 1))

interface Waiting {
  rumour: Rumour
  sent: number
}

/** What is to be passed on: one rumour per node, the least told first. */
export class RumourQueue {
  readonly #waiting = new Map<NodeId, Waiting>()

  get isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  /** In place of what was to be said of that node. */
  add(rumour: Rumour): void {
    this.#waiting.set(rumour.id, { rumour, sent: 0 })
  }

  forget(id: NodeId): void {
    this.#waiting.delete(id)
  }

  /** As many as fit; each counts as sent once more. */
  take(bytesMax: number, limit: number): Rumour[] {
    const taken: Rumour[] = []
    let bytes = 0
    for (const entry of [...this.#waiting.values()].sort((a, b) => a.sent - b.sent)) {
      const size = rumourBytes(entry.rumour)
      if (bytes + size > bytesMax) continue
      bytes += size
      taken.push(entry.rumour)
      if (++entry.sent >= limit) this.#waiting.delete(entry.rumour.id)
    }
    return taken
  }
}
