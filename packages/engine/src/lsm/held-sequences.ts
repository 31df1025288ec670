/**
 * Moments that something still reads at, or may begin to: what they see, flushes and compactions keep. A hold costs one entry
 * in a list; taking one of the newest moment is O(1), letting go O(number held).
 */
export class HeldSequences {
  /** Ascending; a moment that is held twice is here twice. */
  readonly #sequences: number[] = []
  #distinct: readonly number[] | undefined = []

  /** `sequence` is the newest there is, or held already. Call what is returned to let go; more than once is once. */
  hold(sequence: number): () => void {
    this.#sequences.splice(this.#sequences.findLastIndex((other) => other <= sequence) + 1, 0, sequence)
    this.#distinct = undefined
    let held = true
    return () => {
      if (!held) return
      held = false
      this.#sequences.splice(this.#sequences.lastIndexOf(sequence), 1)
      this.#distinct = undefined
    }
  }

  /** Ascending, each once. The list does not change later. */
  get sequences(): readonly number[] {
    this.#distinct ??= this.#sequences.filter((sequence, i, all) => sequence !== all[i - 1])
    return this.#distinct
  }

  /** `Infinity` when none is held. */
  get oldest(): number {
    return this.#sequences[0] ?? Infinity
  }
}
