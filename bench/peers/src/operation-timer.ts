export interface Latencies {
  p50Us: number
  p99Us: number
  p999Us: number
  /** The longest stall: no operation took longer, whether it was timed or not. */
  maxUs: number
}

/** On average one operation in so many is timed: the clock costs about as much as a fast get. */
const sampleEvery = 16
const pieceBits = 15
const pieceLength = 1 << pieceBits

/**
 * Latencies at the price of two readings of the clock for 16 operations. Percentiles come from the operations that were
 * timed, which are chosen at random, since a store's own rhythm (a flush each so many records) must not hide from a fixed
 * step. The maximum does not depend on that choice: it is at least the longest time between two readings anywhere in the run,
 * in which every operation lies, with at most 31 ordinary ones added.
 */
export class OperationTimer {
  /** One array that doubles would itself be the longest stall: 80 ms of page faults at 4 M samples. */
  readonly #pieces: Float64Array[] = []
  #count = 0
  #longest = 0
  #latest: number
  #left = 1
  #state = 2463534242
  readonly #clock: () => number

  /** `clock` in milliseconds. */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock
    this.#latest = clock()
  }

  /** Call once for each operation: whether to put it between `begin` and `end`. */
  due(): boolean {
    if (--this.#left > 0) return false
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    this.#left = 1 + ((this.#state >>> 0) % (2 * sampleEvery - 1))
    return true
  }

  begin(): number {
    return this.mark()
  }

  end(begun: number): void {
    this.#add(this.mark() - begun)
  }

  /** As `end` of an operation that was in flight with others: its beginning is not the latest reading. */
  endOfMany(begun: number): void {
    this.#add(this.#clock() - begun)
  }

  /** Notes that there was progress. Returns the time. */
  mark(): number {
    const now = this.#clock()
    const gap = now - this.#latest
    if (gap > this.#longest) this.#longest = gap
    this.#latest = now
    return now
  }

  latencies(): Latencies {
    const microseconds = new Float64Array(this.#count)
    for (let i = 0; i < this.#count; i++)
      microseconds[i] = this.#pieces[i >>> pieceBits]![i & (pieceLength - 1)]! * 1000
    return { ...percentiles(microseconds), maxUs: rounded(this.#longest * 1000) }
  }

  #add(milliseconds: number): void {
    if (milliseconds > this.#longest) this.#longest = milliseconds
    const at = this.#count++ & (pieceLength - 1)
    if (at === 0) this.#pieces.push(new Float64Array(pieceLength))
    this.#pieces[this.#pieces.length - 1]![at] = milliseconds
  }
}

/** The smallest sample that so large a part of all do not exceed; 0 where there are none. */
export function percentiles(samples: Float64Array): Omit<Latencies, 'maxUs'> {
  const sorted = samples.toSorted()
  const at = (part: number) => rounded(sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0)
  return { p50Us: at(0.5), p99Us: at(0.99), p999Us: at(0.999) }
}

const rounded = (microseconds: number) => Number(microseconds.toFixed(2))
