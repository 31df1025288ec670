/** Number of hash slots, as in Redis Cluster. */
export const slots = 16_384

const openBrace = 0x7b
const closeBrace = 0x7d

/** Four bytes a step: `tables[256 k + b]` is the effect of byte `b` with `k` bytes behind it. */
const tables = new Uint16Array(4 * 256)
for (let byte = 0; byte < 256; byte++) {
  let crc = byte << 8
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1
  tables[byte] = crc
}
for (let i = 256; i < tables.length; i++) tables[i] = (tables[i - 256]! << 8) ^ tables[tables[i - 256]! >>> 8]!

/** CRC-16/XMODEM: polynomial 0x1021, start 0. */
export function crc16(bytes: Uint8Array, start: number, end: number): number {
  let crc = 0
  let i = start
  for (const last = end - 3; i < last; i += 4) {
    crc =
      tables[768 + ((crc >>> 8) ^ bytes[i]!)]! ^
      tables[512 + ((crc & 255) ^ bytes[i + 1]!)]! ^
      tables[256 + bytes[i + 2]!]! ^
      tables[bytes[i + 3]!]!
  }
  for (; i < end; i++) crc = ((crc << 8) & 0xffff) ^ tables[(crc >>> 8) ^ bytes[i]!]!
  return crc
}

/**
 * Slot of the key `bytes[start, end)`: of what stands between its first `{` and the next `}` if that is not empty, else of
 * all of it. As the Redis Cluster specification has it, so that stock clients compute the same.
 */
export function slotOf(bytes: Uint8Array, start: number, end: number): number {
  let open = start
  while (open < end && bytes[open] !== openBrace) open++
  let close = open + 1
  while (close < end && bytes[close] !== closeBrace) close++
  if (close < end && close > open + 1) return crc16(bytes, open + 1, close) % slots
  return crc16(bytes, start, end) % slots
}

/** `partitions` is a power of two up to `slots`: a partition is a run of slots. */
export const partitionOfSlot = (slot: number, partitions: number): number => Math.floor((slot * partitions) / slots)

/** Throws RangeError unless a cluster can have that many. */
export function checkPartitions(partitions: number): void {
  if (!(Number.isInteger(partitions) && partitions >= 1 && partitions <= slots && slots % partitions === 0))
    throw new RangeError(`partitions: a power of two from 1 to ${slots}, not ${partitions}`)
}
