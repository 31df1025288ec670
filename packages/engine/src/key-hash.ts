/**
 * The one hash of a key per operation: it serves the memtable index, every bloom filter and in-block lookup.
 * MurmurHash3 x86_32 (Austin Appleby, public domain) with seed 0; part of the table format, so it never changes.
 */
export function hashKey(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0
  let i = start
  for (const wordsEnd = end - ((end - start) & 3); i < wordsEnd; i += 4) {
    const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
    const mixed = Math.imul(word, 0xcc9e2d51)
    hash ^= Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593)
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0
  }
  if (i < end) {
    let tail = bytes[i]!
    if (i + 1 < end) tail |= bytes[i + 1]! << 8
    if (i + 2 < end) tail |= bytes[i + 2]! << 16
    const mixed = Math.imul(tail, 0xcc9e2d51)
    hash ^= Math.imul((mixed << 15) | (mixed >>> 17), 0x1b873593)
  }
  hash ^= end - start
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
