import { fnvHash64Below } from './fnv.js'
import type { Random } from './random.js'
import { Zipfian, zeta, zipfianTheta } from './zipfian.js'

export type Distribution = 'uniform' | 'zipfian' | 'latest' | 'hotspot'
export const distributions: readonly Distribution[] = ['uniform', 'zipfian', 'latest', 'hotspot']

/** Picks one of the records that exist. */
export interface KeyChooser {
  /** An index in [0, count), where `count` is how many records there are now; it never shrinks between calls. */
  next(count: number): number
}

/** What the choosers of all connections share: computed once, because a zeta costs a power per record. */
export interface ChooserPlan {
  distribution: Distribution
  /** Records at the start. */
  count: number
  /** Records expected by the end, inserts included. */
  countExpected: number
  hotspot: Hotspot
  /** zeta(count), only for `latest`. */
  zeta: number
}

/** `operations` of the requests go to the first `records` of the key space; both are fractions. */
export interface Hotspot {
  records: number
  operations: number
}

export function planChooser(
  distribution: Distribution,
  count: number,
  countExpected: number,
  hotspot: Hotspot,
): ChooserPlan {
  const zetaOfCount = distribution === 'latest' ? zeta(count, zipfianTheta) : 0
  return { distribution, count, countExpected, hotspot, zeta: zetaOfCount }
}

export function keyChooser(plan: ChooserPlan, random: Random): KeyChooser {
  switch (plan.distribution) {
    case 'uniform':
      return { next: (count) => random.below(count) }
    case 'zipfian':
      return new ScrambledZipfianChooser(random, plan.countExpected)
    case 'latest':
      return new LatestChooser(random, plan.count, plan.zeta)
    case 'hotspot':
      return new HotspotChooser(random, plan.hotspot)
  }
}

/** The item count of YCSB's scrambled zipfian and its zeta, so that the skew does not depend on the number of records. */
const scrambledItems = 10_000_000_000
const scrambledZeta = 26.46902820178302

/** Zipfian popularity, spread over the key space by a hash. A draw beyond the records that exist is drawn again, as in YCSB. */
class ScrambledZipfianChooser implements KeyChooser {
  readonly #zipfian: Zipfian
  readonly #items: number
  readonly #hash = new Uint32Array(2)

  constructor(random: Random, items: number) {
    this.#zipfian = new Zipfian(random, scrambledItems, zipfianTheta, scrambledZeta)
    this.#items = items
  }

  next(count: number): number {
    for (;;) {
      const index = fnvHash64Below(this.#zipfian.next(), this.#items, this.#hash)
      if (index < count) return index
    }
  }
}

/** The newest record is the most popular. */
class LatestChooser implements KeyChooser {
  readonly #zipfian: Zipfian

  constructor(random: Random, count: number, zetaOfCount: number) {
    this.#zipfian = new Zipfian(random, count, zipfianTheta, zetaOfCount)
  }

  next(count: number): number {
    this.#zipfian.grow(count)
    return count - 1 - this.#zipfian.next()
  }
}

class HotspotChooser implements KeyChooser {
  readonly #random: Random
  readonly #hotspot: Hotspot

  constructor(random: Random, hotspot: Hotspot) {
    this.#random = random
    this.#hotspot = hotspot
  }

  next(count: number): number {
    const hot = Math.min(count, Math.max(1, Math.floor(count * this.#hotspot.records)))
    const cold = count - hot
    const toHot = this.#random.nextFloat() < this.#hotspot.operations
    return toHot || cold === 0 ? this.#random.below(hot) : hot + this.#random.below(cold)
  }
}
