/** Quarter powers of two from 1/4 ms: bucket 0 is everything faster. 64 of them reach over an hour. */
const buckets = 64
const halveEvery = 1024

const bucketOf = (ms: number) => (ms <= 0.25 ? 0 : Math.min(buckets - 1, Math.ceil(4 * Math.log2(ms * 4))))
const upperMs = (bucket: number) => 0.25 * 2 ** (bucket / 4)

/** How long answers take, most recent ones weighing most: O(1) per sample, 512 bytes. */
export class LatencyTracker {
  readonly #counts = new Float64Array(buckets)
  #total = 0
  #samples = 0
  #p95Ms = 0

  record(ms: number): void {
    const bucket = bucketOf(ms)
    this.#counts[bucket] = this.#counts[bucket]! + 1
    this.#total++
    this.#samples++
    if (this.#samples % 64 === 0) this.#p95Ms = this.#quantile(0.95)
    if (this.#samples % halveEvery === 0) this.#halve()
  }

  /** Milliseconds that 95 of 100 answers are faster than, to 19 %; 0 before the first 64. Updated every 64 samples. */
  get p95Ms(): number {
    return this.#p95Ms
  }

  #quantile(share: number): number {
    let left = this.#total * share
    for (let bucket = 0; bucket < buckets; bucket++) {
      left -= this.#counts[bucket]!
      if (left <= 0) return upperMs(bucket)
    }
    return upperMs(buckets - 1)
  }

  #halve(): void {
    this.#total /= 2
    for (let bucket = 0; bucket < buckets; bucket++) this.#counts[bucket] = this.#counts[bucket]! / 2
  }
}
