/** One operation in so many is timed: the clock costs about as much as a fast get. */
export const sampleEvery = 16

/** Latencies of sampled operations. */
export class LatencySamples {
  #samples = new Float64Array(1 << 12)
  #count = 0

  add(milliseconds: number): void {
    if (this.#count === this.#samples.length) {
      const larger = new Float64Array(this.#samples.length * 2)
      larger.set(this.#samples)
      this.#samples = larger
    }
    this.#samples[this.#count++] = milliseconds * 1000
  }

  percentiles(): { p50Us: number; p99Us: number; p999Us: number; maxUs: number } {
    const sorted = this.#samples.slice(0, this.#count).sort()
    const at = (quantile: number) =>
      Number((sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))] ?? 0).toFixed(2))
    return { p50Us: at(0.5), p99Us: at(0.99), p999Us: at(0.999), maxUs: at(1) }
  }
}
