/** What happens at a moment of virtual time. */
export type Happening = () => void

/**
 * A binary heap over (moment, order of arrival): of two happenings at one moment, the one scheduled first comes first, so
 * that the order is the same in every run.
 */
export class EventQueue {
  readonly #moments: number[] = []
  readonly #orders: number[] = []
  readonly #happenings: Happening[] = []
  #scheduled = 0

  get size(): number {
    return this.#moments.length
  }

  /** Moment of the next one; Infinity when there is none. */
  get nextAtMs(): number {
    return this.#moments[0] ?? Number.POSITIVE_INFINITY
  }

  add(atMs: number, happening: Happening): void {
    this.#place(this.#moments.length, atMs, this.#scheduled++, happening)
    this.#rise(this.#moments.length - 1)
  }

  /** Takes the next one out; the queue must not be empty. */
  take(): Happening {
    const next = this.#happenings[0]!
    const moment = this.#moments.pop()!
    const order = this.#orders.pop()!
    const happening = this.#happenings.pop()!
    if (this.#moments.length > 0) {
      this.#place(0, moment, order, happening)
      this.#sink()
    }
    return next
  }

  #place(at: number, moment: number, order: number, happening: Happening): void {
    this.#moments[at] = moment
    this.#orders[at] = order
    this.#happenings[at] = happening
  }

  #before(a: number, b: number): boolean {
    const difference = this.#moments[a]! - this.#moments[b]!
    return difference < 0 || (difference === 0 && this.#orders[a]! < this.#orders[b]!)
  }

  #swap(a: number, b: number): void {
    const moment = this.#moments[a]!
    const order = this.#orders[a]!
    const happening = this.#happenings[a]!
    this.#place(a, this.#moments[b]!, this.#orders[b]!, this.#happenings[b]!)
    this.#place(b, moment, order, happening)
  }

  #rise(from: number): void {
    let at = from
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#before(at, parent)) return
      this.#swap(at, parent)
      at = parent
    }
  }

  #sink(): void {
    let at = 0
    for (;;) {
      const left = 2 * at + 1
      if (left >= this.#moments.length) return
      const least = left + 1 < this.#moments.length && this.#before(left + 1, left) ? left + 1 : left
      if (!this.#before(least, at)) return
      this.#swap(least, at)
      at = least
    }
  }
}
