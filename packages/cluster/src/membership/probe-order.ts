import type { NodeId } from '../node/identity.js'

/**
 * Whom to probe next: all in a random order, then all in another (SWIM, section 4.3). Every node is probed within two rounds, where choosing
 * at random each time would leave some out for long.
 */
export class ProbeOrder {
  readonly #random: () => number
  readonly #order: NodeId[] = []
  #next = 0

  constructor(random: () => number) {
    this.#random = random
  }

  /** Somewhere in the round, so that those who join together are not probed together. */
  add(id: NodeId): void {
    const at = Math.floor(this.#random() * (this.#order.length + 1))
    this.#order.splice(at, 0, id)
    if (at < this.#next) this.#next++
  }

  remove(id: NodeId): void {
    const at = this.#order.indexOf(id)
    if (at < 0) return
    this.#order.splice(at, 1)
    if (at < this.#next) this.#next--
  }

  next(isWanted: (id: NodeId) => boolean): NodeId | undefined {
    for (let tried = 0; tried < this.#order.length; tried++) {
      if (this.#next >= this.#order.length) this.#shuffle()
      const id = this.#order[this.#next++]!
      if (isWanted(id)) return id
    }
    return undefined
  }

  #shuffle(): void {
    this.#next = 0
    const order = this.#order
    for (let i = order.length - 1; i > 0; i--) {
      const other = Math.floor(this.#random() * (i + 1))
      const moved = order[i]!
      order[i] = order[other]!
      order[other] = moved
    }
  }
}

/** Up to `count` of them, each at most once. */
export function sample<T>(items: T[], count: number, random: () => number): T[] {
  const chosen: T[] = []
  while (chosen.length < count && items.length > 0) chosen.push(...items.splice(Math.floor(random() * items.length), 1))
  return chosen
}
