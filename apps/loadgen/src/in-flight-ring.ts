/** Kinds of the entries that are no operation of the workload; see `workload.ts` for the others. */
export const greetingEntry = 100
/** The second half of a read-modify-write. */
export const modifyEntry = 101

/**
 * The requests of one connection that wait for their replies, which come in the order of the requests: a ring of columns,
 * allocated once. Slot `i` holds the records `records[i * batch, i * batch + counts[i])`.
 */
export class InFlightRing {
  readonly capacity: number
  readonly batch: number
  readonly kinds: Uint8Array
  /** Records the request reads; 0 for a write. */
  readonly counts: Uint16Array
  readonly intendedMs: Float64Array
  readonly sequences: Uint32Array
  readonly records: Float64Array
  /** What the verifier's floor of each record was when the request was sent. */
  readonly floors: Uint32Array
  readonly #mask: number
  #head = 0
  #length = 0

  constructor(entries: number, batch: number) {
    this.capacity = 2 ** Math.ceil(Math.log2(Math.max(2, entries)))
    this.batch = batch
    this.#mask = this.capacity - 1
    this.kinds = new Uint8Array(this.capacity)
    this.counts = new Uint16Array(this.capacity)
    this.intendedMs = new Float64Array(this.capacity)
    this.sequences = new Uint32Array(this.capacity)
    this.records = new Float64Array(this.capacity * batch)
    this.floors = new Uint32Array(this.capacity * batch)
  }

  get length(): number {
    return this.#length
  }

  /** Takes the next slot; never more than `entries` may be taken. */
  push(kind: number, count: number, intendedMs: number): number {
    const slot = (this.#head + this.#length++) & this.#mask
    this.kinds[slot] = kind
    this.counts[slot] = count
    this.intendedMs[slot] = intendedMs
    this.sequences[slot] = 0
    return slot
  }

  get oldest(): number {
    return this.#head
  }

  shift(): void {
    this.#head = (this.#head + 1) & this.#mask
    this.#length--
  }
}
