import { Random } from '@caskade/loadgen/random'
import { Zipfian } from '@caskade/loadgen/zipfian'

/** Numbers from 0 up to `bound`, drawn the same way in every process. */
export function uniformNumbers(bound: number, seed = 1): () => number {
  let state = (2463534242 ^ Math.imul(seed, 0x9e3779b9)) >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % bound
  }
}

/**
 * `draws` numbers below `bound` with YCSB's skew, made before the clock starts and given in turn. Popular ones lie anywhere in
 * the order in which the records were put.
 */
export function zipfianNumbers(bound: number, draws: number): () => number {
  const zipfian = new Zipfian(new Random(1), bound)
  const numbers = Uint32Array.from({ length: draws }, () => scattered(zipfian.next(), bound))
  let at = 0
  return () => {
    if (at === draws) at = 0
    return numbers[at++]!
  }
}

/** A prime: multiplying by it permutes the numbers below any bound that it does not divide. */
const stride = 7_368_787

/** Number `i` of a permutation of the numbers below `bound` (at most 10^9, and no multiple of 7,368,787). */
export function scattered(i: number, bound: number): number {
  return (i * stride) % bound
}
