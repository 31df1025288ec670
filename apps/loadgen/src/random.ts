/**
 * xoshiro128** (Blackman and Vigna): small, fast, and the same stream for the same (seed, stream) on every machine, which
 * is what makes a run repeatable. Not for secrets.
 */
export class Random {
  #a: number
  #b: number
  #c: number
  #d: number

  /** @param seed a non-negative safe integer. @param stream which of the independent streams of that seed. */
  constructor(seed: number, stream = 0) {
    let state =
      Math.imul(seed | 0, 0x9e3779b1) ^
      Math.imul(Math.floor(seed / 2 ** 32), 0x85ebca6b) ^
      Math.imul(stream, 0x632be5ab)
    const splitmix = () => {
      state = (state + 0x9e3779b9) | 0
      let z = state
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
      return z ^ (z >>> 15)
    }
    this.#a = splitmix()
    this.#b = splitmix()
    this.#c = splitmix()
    this.#d = splitmix() | 1
  }

  nextUint32(): number {
    const b = this.#b
    let result = Math.imul(b, 5)
    result = Math.imul((result << 7) | (result >>> 25), 9)
    const t = b << 9
    this.#c ^= this.#a
    this.#d ^= b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= t
    this.#d = (this.#d << 11) | (this.#d >>> 21)
    return result >>> 0
  }

  /** Uniform in [0, 1), 53 bits. */
  nextFloat(): number {
    return ((this.nextUint32() >>> 5) * 0x4000000 + (this.nextUint32() >>> 6)) / 2 ** 53
  }

  /** Uniform integer in [0, bound). */
  below(bound: number): number {
    return Math.floor(this.nextFloat() * bound)
  }
}
