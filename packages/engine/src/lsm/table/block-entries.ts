import type { IndexColumns } from './index-section.js'

/*
 * What a point read needs of each block, side by side: four 32-bit words, so that a cache line holds four blocks. Separators
 * are without the table's common prefix. An entry more than there are blocks says where the last one ends.
 */
export const entryWords = 4
/** Bytes 0 to 3 of the separator, big-endian, so that numbers order as bytes do; zeros where it has ended. */
export const entryHigh = 0
/** Bytes 4 to 7. */
export const entryLow = 1
/** Offset in the file: its lower 32 bits. */
const entryOffset = 2
/** Flags, and from bit 8 on the upper bits of the offset. */
const entryFlags = 3

export function blockEntries(columns: IndexColumns): Uint32Array {
  const { bytes, offsets, flags, separatorStarts, separatorEnds } = columns
  const blocks = flags.length
  const entries = new Uint32Array((blocks + 1) * entryWords)
  for (let block = 0; block <= blocks; block++) {
    const at = block * entryWords
    if (block > 0 && block < blocks) {
      const start = separatorStarts[block]!
      const end = separatorEnds[block]!
      entries[at + entryHigh] = fourBytes(bytes, start, end)
      entries[at + entryLow] = fourBytes(bytes, start + 4, end)
    }
    entries[at + entryOffset] = offsets[block]!
    entries[at + entryFlags] = (flags[block] ?? 0) | (Math.floor(offsets[block]! / 2 ** 32) << 8)
  }
  return entries
}

export function blockOffset(entries: Uint32Array, block: number): number {
  const at = block * entryWords
  return entries[at + entryOffset]! + (entries[at + entryFlags]! >>> 8) * 2 ** 32
}

export function hasFlag(entries: Uint32Array, block: number, flag: number): boolean {
  return (entries[block * entryWords + entryFlags]! & flag) !== 0
}

export function setFlag(entries: Uint32Array, block: number, flag: number): void {
  entries[block * entryWords + entryFlags]! |= flag
}

export function clearFlag(entries: Uint32Array, block: number, flag: number): void {
  entries[block * entryWords + entryFlags]! &= ~flag
}

/** Of a slice, as in an entry. */
export function fourBytes(bytes: Uint8Array, start: number, end: number): number {
  if (start + 4 <= end)
    return ((bytes[start]! << 24) | (bytes[start + 1]! << 16) | (bytes[start + 2]! << 8) | bytes[start + 3]!) >>> 0
  let value = 0
  for (let at = start; at < start + 4; at++) value = value * 256 + (at < end ? bytes[at]! : 0)
  return value
}
