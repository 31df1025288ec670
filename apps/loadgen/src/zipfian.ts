import type { Random } from './random.js'

/** YCSB's skew. */
export const zipfianTheta = 0.99

/** Extends `sum`, the zeta of the first `from` ranks, to `to` ranks: O(to - from). */
export function zeta(to: number, theta: number, from = 0, sum = 0): number {
  let total = sum
  for (let rank = from + 1; rank <= to; rank++) total += 1 / rank ** theta
  return total
}

/**
 * Ranks from 0 (the most popular) with P(rank) about 1 / ((rank + 1)^theta zeta(count)): the generator of Gray et al.,
 * "Quickly Generating Billion-Record Synthetic Databases" (SIGMOD 1994), as YCSB uses it. Exact for the first two ranks,
 * a continuous approximation for the rest. O(1) per draw.
 */
export class Zipfian {
  readonly #random: Random
  readonly #theta: number
  readonly #alpha: number
  readonly #secondRank: number
  #count: number
  #zeta: number
  #eta: number

  /** @param zetaOfCount zeta(count), when it is already known: computing it is O(count). */
  constructor(random: Random, count: number, theta = zipfianTheta, zetaOfCount = zeta(count, theta)) {
    this.#random = random
    this.#theta = theta
    this.#alpha = 1 / (1 - theta)
    this.#secondRank = 1 + 0.5 ** theta
    this.#count = count
    this.#zeta = zetaOfCount
    this.#eta = this.#etaNow()
  }

  next(): number {
    const u = this.#random.nextFloat()
    const uz = u * this.#zeta
    if (uz < 1) return 0
    if (uz < this.#secondRank) return 1
    return Math.min(this.#count - 1, Math.floor(this.#count * (this.#eta * u - this.#eta + 1) ** this.#alpha))
  }

  /** More ranks, for a key space that grows; costs only the new ones (YCSB's incremental zeta). */
  grow(count: number): void {
    if (count <= this.#count) return
    this.#zeta = zeta(count, this.#theta, this.#count, this.#zeta)
    this.#count = count
    this.#eta = this.#etaNow()
  }

  #etaNow(): number {
    const zetaOfTwo = zeta(2, this.#theta)
    return (1 - (2 / this.#count) ** (1 - this.#theta)) / (1 - zetaOfTwo / this.#zeta)
  }
}
