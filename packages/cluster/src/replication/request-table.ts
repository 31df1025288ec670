/** A place for one request, used again and again: coordinators extend it with what their request needs. */
export class RequestSlot {
  /** Where it lies in the table: peers give it back in their answers. */
  index = 0
  /** Drawn anew for each request: an answer of another generation belongs to a request that has ended. */
  generation = 0
  active = false
  /** When it wants to be woken, monotonic ms. */
  wakeAtMs = Number.POSITIVE_INFINITY
  /** Its place in the list of active slots. */
  place = 0
}

/**
 * Requests that wait, in slots that are made once and reused: at most `capacity`, and nothing is allocated per request.
 *
 * The generation begins at a random number: after a restart, answers to the previous life find another one.
 */
export class RequestTable<Slot extends RequestSlot> {
  readonly #slots: Slot[] = []
  readonly #free: Slot[] = []
  /** Dense, in no order. */
  readonly active: Slot[] = []
  readonly #make: () => Slot
  readonly #capacity: number
  readonly #anyGeneration: boolean
  #generation: number
  /** No slot wants to be woken before. May be too early: `due` makes it exact. */
  wakeAtMs = Number.POSITIVE_INFINITY

  /** `anyGeneration` is a deliberate bug: see `deliberateBugs`. */
  constructor(make: () => Slot, capacity: number, firstGeneration: number, anyGeneration = false) {
    this.#make = make
    this.#capacity = capacity
    this.#generation = firstGeneration >>> 0
    this.#anyGeneration = anyGeneration
  }

  get full(): boolean {
    return this.active.length >= this.#capacity
  }

  /** `undefined` when full. */
  take(): Slot | undefined {
    if (this.full) return undefined
    let slot = this.#free.pop()
    if (slot === undefined) {
      slot = this.#make()
      slot.index = this.#slots.length
      this.#slots.push(slot)
    }
    this.#generation = (this.#generation + 1) >>> 0
    slot.generation = this.#generation
    slot.active = true
    slot.wakeAtMs = Number.POSITIVE_INFINITY
    slot.place = this.active.length
    this.active.push(slot)
    return slot
  }

  /** The request that an answer is for; `undefined` if it has ended. */
  find(index: number, generation: number): Slot | undefined {
    const slot = this.#slots[index]
    if (slot === undefined || !slot.active) return undefined
    return slot.generation === generation || this.#anyGeneration ? slot : undefined
  }

  wakeAt(slot: Slot, ms: number): void {
    slot.wakeAtMs = ms
    if (ms < this.wakeAtMs) this.wakeAtMs = ms
  }

  release(slot: Slot): void {
    slot.active = false
    const last = this.active.pop()!
    if (last !== slot) {
      this.active[slot.place] = last
      last.place = slot.place
    }
    this.#free.push(slot)
  }

  /** The slots that are due, taken into `into`, which is emptied first. Their wake time is cleared. O(active), only when something is due. */
  due(nowMs: number, into: Slot[]): void {
    into.length = 0
    if (nowMs < this.wakeAtMs) return
    let next = Number.POSITIVE_INFINITY
    for (let i = 0; i < this.active.length; i++) {
      const slot = this.active[i]!
      if (slot.wakeAtMs <= nowMs) {
        slot.wakeAtMs = Number.POSITIVE_INFINITY
        into.push(slot)
      } else if (slot.wakeAtMs < next) next = slot.wakeAtMs
    }
    this.wakeAtMs = next
  }
}
