/**
 * 64 bits over a key and its record, as two 32-bit halves: `recordHash` writes them to `high` and `low` of the result. Two
 * MurmurHash3-like lanes with different multipliers over the same words. Not cryptographic: a client that may write could make
 * records collide, and hide a difference between replicas of its own keys from repair.
 */
export interface RecordHash {
  high: number
  low: number
}

/** The hash of no record: what XOR leaves unchanged. */
export const noRecord: Readonly<RecordHash> = { high: 0, low: 0 }

export function recordHash(key: Uint8Array, record: Uint8Array, result: RecordHash): RecordHash {
  result.high = finish(0x2545f491 + key.length)
  result.low = finish(0x4f6cdd1d + record.length)
  absorb(key, result)
  absorb(record, result)
  const high = finish(result.high ^ (result.low >>> 15))
  result.low = finish(result.low + high)
  result.high = high
  return result
}

function absorb(bytes: Uint8Array, hash: RecordHash): void {
  let { high, low } = hash
  const wordsEnd = bytes.length & ~3
  let i = 0
  for (; i < wordsEnd; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    high = Math.imul(((high ^ word) << 13) | ((high ^ word) >>> 19), 0xcc9e2d51)
    low = Math.imul(((low ^ word) << 15) | ((low ^ word) >>> 17), 0x1b873593) + 0x52dce729
  }
  // The lengths are in the seeds, so that zeros at the end count; mixed, so that they do not cancel out against the tail.
  let tail = 0
  for (let shift = 0; i < bytes.length; i++, shift += 8) tail |= bytes[i]! << shift
  hash.high = Math.imul(high ^ tail, 0x85ebca6b) ^ (high >>> 16)
  hash.low = Math.imul(low ^ tail, 0xc2b2ae35) ^ (low >>> 16)
}

function finish(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/** Where a key stands in a hash tree: 32 bits, evenly spread (FNV-1a and a finisher). The same on every node, for ever. */
export function treePlaceOf(key: Uint8Array): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key[i]!, 0x01000193)
  return finish(hash)
}
