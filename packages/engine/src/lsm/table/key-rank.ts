/** Bytes of a key that are looked at, at most. */
const placesMax = 8
/** Ranks stay 32-bit integers. */
const ranksMax = 2 ** 30

/**
 * Maps byte strings to numbers in their order, so that strings like those of a sample lie evenly, whatever alphabet they are written
 * in: each of the first bytes counts as its rank among the bytes that the sample has in that place, and the ranks are the digits of a number. Taken as they are,
 * hexadecimal digits would fill a sixteenth of all values of a byte, and two of them a 256th. (An order-preserving code as in Zhang et al.,
 * "Order-Preserving Key Compression for In-Memory Search Trees", 2020, with the simplest dictionary.)
 *
 * Monotone, not injective: strings that differ behind the places looked at, or in bytes that the sample has not, may have one rank.
 */
export class KeyRank {
  /** 256 to a place: the rank of a byte of the sample; of any other `~r`, where `r` bytes of the sample are less. */
  readonly #ranks: Int16Array
  /** How many numbers share the digits before and in a place: of no place first. */
  readonly #weights: Int32Array
  readonly #places: number

  /** The sample: slices of `bytes`. Looks at no more places than it takes to tell `wanted` strings apart. */
  constructor(bytes: Uint8Array, starts: Uint32Array, ends: Uint32Array, wanted: number) {
    const ranks: number[] = []
    const radices: number[] = []
    for (let place = 0, numbers = 1; place < placesMax && numbers < wanted; place++) {
      const occurs = new Uint8Array(256)
      for (let i = 0; i < starts.length; i++) if (starts[i]! + place < ends[i]!) occurs[bytes[starts[i]! + place]!] = 1
      let radix = 0
      const placeRanks = Array.from(occurs, (yes) => (yes ? radix++ : ~radix))
      if (radix === 0 || numbers * radix > ranksMax) break
      numbers *= radix
      ranks.push(...placeRanks)
      radices.push(radix)
    }
    this.#places = radices.length
    this.#ranks = Int16Array.from(ranks)
    this.#weights = new Int32Array(this.#places + 1).fill(1)
    for (let place = this.#places; place > 0; place--)
      this.#weights[place - 1] = this.#weights[place]! * radices[place - 1]!
  }

  get byteLength(): number {
    return this.#ranks.byteLength
  }

  of(bytes: Uint8Array, start: number, end: number): number {
    const ranks = this.#ranks
    const weights = this.#weights
    const places = Math.min(this.#places, end - start)
    let number = 0
    for (let place = 0; place < places; place++) {
      const rank = ranks[(place << 8) | bytes[start + place]!]!
      const weight = weights[place + 1]!
      // A byte that no string of the sample has here: before all strings with the next byte that one has.
      if (rank < 0) return number + ~rank * weight
      number += rank * weight
    }
    return number
  }
}
