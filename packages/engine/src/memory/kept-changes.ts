import { TooOldError } from '../errors.js'
import type { Change } from '../store.js'

/** The last changes, up to a number of bytes of keys and values. */
export class KeptChanges {
  readonly #bytesMax: number
  #changes: Change[] = []
  #bytes = 0
  /** Everything after it is kept. */
  #oldest = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  add(change: Change): void {
    this.#changes.push(change)
    this.#bytes += bytesOf(change)
    if (change.batchEnd) this.#trim()
  }

  /** Nothing up to `sequence` is kept any more. */
  forgetUpTo(sequence: number): void {
    this.#changes = []
    this.#bytes = 0
    this.#oldest = sequence
  }

  /** The last one ends its batch. */
  endBatch(): void {
    const last = this.#changes.pop()
    if (last !== undefined) this.#changes.push({ ...last, batchEnd: true })
    this.#trim()
  }

  /** Forgets what was written after `sequence`: it did not happen. */
  takeBack(sequence: number): void {
    while ((this.#changes.at(-1)?.sequence ?? 0) > sequence) this.#bytes -= bytesOf(this.#changes.pop()!)
  }

  *read(since: number, upTo: number, limit: number): Generator<Change, undefined> {
    let sequence = since
    for (let left = limit; left > 0 && sequence < upTo; left--) {
      this.check(sequence)
      const change = this.#changes[sequence - this.#oldest]!
      sequence = change.sequence
      yield change
    }
  }

  /** Throws if something after `since` is not kept. */
  check(since: number): void {
    if (since < this.#oldest) throw new TooOldError(since, this.#oldest)
  }

  #trim(): void {
    // In large steps: each one copies what stays.
    if (this.#bytes <= 2 * this.#bytesMax) return
    let first = 0
    while (this.#bytes > this.#bytesMax) this.#bytes -= bytesOf(this.#changes[first++]!)
    this.#changes = this.#changes.slice(first)
    this.#oldest += first
  }
}

const bytesOf = (change: Change) =>
  change.type === 'put' ? change.key.length + change.value.length : change.type === 'delete' ? change.key.length : 1
