import { crc32 } from 'node:zlib'
import { SeededRandom } from '../seeded-random.js'

/**
 * The generator of one concern of one run. Each concern (a link, a node, the plan) has its own, named one, so that what is
 * left out of one of them does not change the draws of the others: that keeps a shrunk history close to the failing one.
 */
export function randomStream(seed: number, concern: string): SeededRandom {
  return new SeededRandom(crc32(concern, seed >>> 0) ^ Math.imul(seed, 0x9e37_79b1))
}
