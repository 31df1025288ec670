/** Powers of two of microseconds: bucket `k` counts calls of 2^k up to 2^(k + 1) us, the first also those below. */
const buckets = 32

/** Figures per command, by the command's number in the table: flat arrays, because every command adds to them. */
export class CommandStatistics {
  calls: Float64Array
  microseconds: Float64Array
  failed: Float64Array
  rejected: Float64Array
  #histograms: Float64Array

  constructor(commands: number) {
    this.calls = new Float64Array(commands)
    this.microseconds = new Float64Array(commands)
    this.failed = new Float64Array(commands)
    this.rejected = new Float64Array(commands)
    this.#histograms = new Float64Array(commands * buckets)
  }

  add(command: number, microseconds: number): void {
    this.calls[command]!++
    this.microseconds[command]! += microseconds
    this.#histograms[command * buckets + 31 - Math.clz32(microseconds | 1)]!++
  }

  reset(): void {
    for (const figures of [this.calls, this.microseconds, this.failed, this.rejected]) figures.fill(0)
    this.#histograms.fill(0)
  }

  /** Upper bound in microseconds and calls up to it, for each bucket that adds calls. */
  histogram(command: number): [bound: number, calls: number][] {
    const found: [number, number][] = []
    let total = 0
    for (let bucket = 0; bucket < buckets; bucket++) {
      const calls = this.#histograms[command * buckets + bucket]!
      total += calls
      if (calls > 0) found.push([2 ** (bucket + 1), total])
    }
    return found
  }
}
