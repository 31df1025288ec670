/**
 * HalfSipHash-2-4 with 64 bits of output (Aumasson and Bernstein, "SipHash", 2012, reduced to 32-bit words), under a secret of
 * each store: stands for a key in hint files. Whoever chooses keys cannot find two that are taken for one.
 */
export class KeyedHash {
  readonly #k0: number
  readonly #k1: number
  /** The result of `update`. */
  low = 0
  high = 0

  constructor(secret: readonly [number, number]) {
    this.#k0 = secret[0]
    this.#k1 = secret[1]
  }

  update(bytes: Uint8Array, start: number, end: number): void {
    let v0 = this.#k0
    let v1 = this.#k1 ^ 0xee
    let v2 = this.#k0 ^ 0x6c796765
    let v3 = this.#k1 ^ 0x74656462
    const length = end - start
    const words = length >>> 2
    for (let i = 0; i < words + 3; i++) {
      let word = 0
      if (i < words) {
        const at = start + 4 * i
        word = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
      } else if (i === words) {
        word = length << 24
        for (let at = start + 4 * words, shift = 0; at < end; at++, shift += 8) word |= bytes[at]! << shift
      } else if (i === words + 1) v2 ^= 0xee
      else v1 ^= 0xdd
      const rounds = i <= words ? 2 : 4
      v3 ^= word
      for (let round = 0; round < rounds; round++) {
        v0 = (v0 + v1) | 0
        v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
        v0 = (v0 << 16) | (v0 >>> 16)
        v2 = (v2 + v3) | 0
        v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
        v0 = (v0 + v3) | 0
        v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
        v2 = (v2 + v1) | 0
        v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
        v2 = (v2 << 16) | (v2 >>> 16)
      }
      v0 ^= word
      if (i === words + 1) this.low = (v1 ^ v3) >>> 0
    }
    this.high = (v1 ^ v3) >>> 0
  }
}
