const capacity = 16_384

/**
 * Ids of the last writes that this node minted. A record tells a retry by its siblings, but not when the first try has been overwritten
 * since: minted again it would come back over what replaced it. Lost with the process; bounded, the oldest go first.
 */
export class RecentRequests {
  readonly #ids = new Set<number>()
  readonly #order = new Float64Array(capacity)
  #next = 0

  has(high: number, low: number): boolean {
    return this.#ids.has(idOf(high, low))
  }

  add(high: number, low: number): void {
    const id = idOf(high, low)
    if (this.#ids.has(id)) return
    if (this.#ids.size === capacity) this.#ids.delete(this.#order[this.#next]!)
    this.#order[this.#next] = id
    this.#next = (this.#next + 1) % capacity
    this.#ids.add(id)
  }
}

/** 53 of the 64 bits: two of the last 16 thousand random ids agree in them once in 10^11 writes. */
const idOf = (high: number, low: number) => (high & 0x1f_ffff) * 0x1_0000_0000 + (low >>> 0)
