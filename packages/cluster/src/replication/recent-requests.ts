const capacity = 1 << 17

/**
 * Ids of the last writes that this node has minted or been sent, with the dot under which it met them. A record tells a retry by its
 * siblings, but not when the first try has been replaced since: minted again it would come back over what replaced it.
 *
 * Lost with the process; bounded (some 12 MB), the oldest go first.
 */
export class RecentRequests {
  readonly #places = new Map<number, number>()
  readonly #ids: number[] = []
  readonly #actors: number[] = []
  readonly #counters: number[] = []
  #next = 0

  /** Its place, for `actorAt` and `counterAt`; -1: not known. */
  find(high: number, low: number): number {
    return this.#places.get(idOf(high, low)) ?? -1
  }

  actorAt(place: number): number {
    return this.#actors[place]!
  }

  counterAt(place: number): number {
    return this.#counters[place]!
  }

  /** The dot that is known first stays. */
  add(high: number, low: number, actor: number, counter: number): void {
    const id = idOf(high, low)
    if (this.#places.has(id)) return
    const place = this.#next
    if (place < this.#ids.length) this.#places.delete(this.#ids[place]!)
    this.#ids[place] = id
    this.#actors[place] = actor
    this.#counters[place] = counter
    this.#places.set(id, place)
    this.#next = (place + 1) % capacity
  }
}

/** 53 of the 64 bits: two of the last 131 thousand random ids agree in them once in 10^10 writes. */
const idOf = (high: number, low: number) => (high & 0x1f_ffff) * 0x1_0000_0000 + (low >>> 0)
