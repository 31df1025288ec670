/** Slots as in Redis Cluster: the unit in which keys are given to partitions. */
export const slotCount = 16_384

/** CRC-16/XMODEM, four bytes a step: `tables[256 k + b]` is the effect of byte `b` with `k` bytes behind it. */
const tables = makeTables()

function makeTables(): Uint16Array {
  const made = new Uint16Array(4 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte << 8
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
    made[byte] = crc
  }
  for (let i = 256; i < made.length; i++) made[i] = (made[i - 256]! << 8) ^ made[made[i - 256]! >>> 8]!
  return made
}

function crc16(bytes: Uint8Array, start: number, end: number): number {
  const t = tables
  let crc = 0
  let i = start
  for (const last = end - 3; i < last; i += 4) {
    crc =
      t[768 + ((crc >>> 8) ^ bytes[i]!)]! ^
      t[512 + ((crc & 255) ^ bytes[i + 1]!)]! ^
      t[256 + bytes[i + 2]!]! ^
      t[bytes[i + 3]!]!
  }
  for (; i < end; i++) crc = ((crc << 8) & 0xffff) ^ t[(crc >>> 8) ^ bytes[i]!]!
  return crc
}

const openBrace = 0x7b
const closeBrace = 0x7d

/**
 * CRC16 of the key, or of what stands between its first `{` and the next `}` if that is not empty, modulo 16384: the rule
 * of the Redis Cluster specification.
 */
export function slotOfKey(bytes: Uint8Array, start: number, end: number): number {
  for (let i = start; i < end; i++) {
    if (bytes[i] !== openBrace) continue
    const tagStart = i + 1
    let tagEnd = tagStart
    while (tagEnd < end && bytes[tagEnd] !== closeBrace) tagEnd++
    if (tagEnd < end && tagEnd > tagStart) return crc16(bytes, tagStart, tagEnd) & (slotCount - 1)
    break
  }
  return crc16(bytes, start, end) & (slotCount - 1)
}

/** The slot of all keys that start so; `undefined`: there is no whole tag in it, and they are in any slot. */
export function slotOfPrefix(prefix: Uint8Array): number | undefined {
  const tagStart = prefix.indexOf(openBrace) + 1
  const tagEnd = tagStart === 0 ? -1 : prefix.indexOf(closeBrace, tagStart)
  return tagEnd > tagStart ? crc16(prefix, tagStart, tagEnd) & (slotCount - 1) : undefined
}
