/**
 * Which tables are mapped. A mapped read is the fastest, but every page it touches counts as resident memory of the process
 * until the table goes; past the budget tables are read with pread and through the block cache. The last level, which is most
 * of the data and read least per byte, leaves an eighth of the budget to the levels above it.
 */
export class MappingBudget {
  readonly #bytesMax: number
  readonly #mapped = new Map<number, number>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Whether table `number` is to be mapped. A move to another level changes nothing. */
  take(number: number, fileBytes: number, isLastLevel: boolean): boolean {
    const bytesMax = isLastLevel ? this.#bytesMax * 0.875 : this.#bytesMax
    if (this.#bytes + fileBytes > bytesMax) return false
    this.#mapped.set(number, fileBytes)
    this.#bytes += fileBytes
    return true
  }

  /** The table is dropped from the tree. What older versions still pin is not counted. Returns what undoes it. */
  give(number: number): () => void {
    const fileBytes = this.#mapped.get(number)
    if (fileBytes === undefined) return () => {}
    this.#bytes -= fileBytes
    this.#mapped.delete(number)
    return () => {
      this.#mapped.set(number, fileBytes)
      this.#bytes += fileBytes
    }
  }
}
