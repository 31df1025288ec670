import { keptCopy } from '../../copy-bytes.js'
import { putVarint } from './block-layout.js'

/*
 * The index section: the table's common key prefix, then for each block its stored length, its flags and the separator
 * before it without that prefix. A separator is the shortest key that is greater than every key of the block before and
 * not greater than the block's first; block 0 has none.
 */
/** The block begins with a further version of the key that ends the block before. */
export const blockContinues = 1

export interface IndexEntry {
  /** Without its checksum. */
  storedBytes: number
  flags: number
  /** The whole key. */
  separator: Uint8Array
}

const fixedBytes = 8

export function encodeIndex(entries: readonly IndexEntry[], commonPrefix: Uint8Array): Uint8Array {
  let length = fixedBytes + commonPrefix.length
  for (const entry of entries) length += 5 + 1 + 5 + entry.separator.length
  const bytes = new Uint8Array(length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, entries.length, true)
  view.setUint32(4, commonPrefix.length, true)
  bytes.set(commonPrefix, fixedBytes)
  let at = fixedBytes + commonPrefix.length
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!
    const stripped = entry.separator.subarray(i === 0 ? entry.separator.length : commonPrefix.length)
    at = putVarint(bytes, at, entry.storedBytes)
    bytes[at++] = entry.flags
    at = putVarint(bytes, at, stripped.length)
    bytes.set(stripped, at)
    at += stripped.length
  }
  return bytes.subarray(0, at)
}

/** The index as the lookup wants it: columns. Separators lie in `bytes`, so this keeps the section alive. */
export interface IndexColumns {
  bytes: Uint8Array
  commonPrefix: Uint8Array
  /** Where each block begins in the file, and last where the last one's checksum ends. */
  offsets: Float64Array
  flags: Uint8Array
  separatorStarts: Uint32Array
  separatorEnds: Uint32Array
}

/** `undefined`: malformed. `firstOffset` is where block 0 lies; each is followed by a checksum of `checksumBytes`. */
export function decodeIndex(bytes: Uint8Array, firstOffset: number, checksumBytes: number): IndexColumns | undefined {
  if (bytes.length < fixedBytes) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const count = view.getUint32(0, true)
  const prefixEnd = fixedBytes + view.getUint32(4, true)
  // Three bytes at least for a block: no allocation beyond what the section can hold.
  if (prefixEnd > bytes.length || count > (bytes.length - prefixEnd) / 3) return undefined
  const columns: IndexColumns = {
    bytes,
    commonPrefix: bytes.subarray(fixedBytes, prefixEnd),
    offsets: new Float64Array(count + 1),
    flags: new Uint8Array(count),
    separatorStarts: new Uint32Array(count),
    separatorEnds: new Uint32Array(count),
  }
  let at = prefixEnd
  let offset = firstOffset
  // Inline, without a closure that advances `at`: Node 26.10 (V8 14.6, Maglev, on-stack replacement) miscompiles that.
  for (let i = 0; i < count; i++) {
    let storedBytes = 0
    let byte = 0x80
    for (let scale = 1; byte >= 0x80 && scale < 2 ** 35; scale *= 128) {
      byte = bytes[at++] ?? 0
      storedBytes += (byte & 0x7f) * scale
    }
    columns.offsets[i] = offset
    offset += storedBytes + checksumBytes
    columns.flags[i] = bytes[at++] ?? 0
    let length = 0
    byte = 0x80
    for (let scale = 1; byte >= 0x80 && scale < 2 ** 35; scale *= 128) {
      byte = bytes[at++] ?? 0
      length += (byte & 0x7f) * scale
    }
    columns.separatorStarts[i] = at
    at += length
    if (at > bytes.length) return undefined
    columns.separatorEnds[i] = at
  }
  columns.offsets[count] = offset
  return at === bytes.length ? columns : undefined
}

/** The shortest key greater than `before` and not greater than `key`, which is a slice greater than `before`. */
export function separatorBetween(before: Uint8Array, key: Uint8Array, start: number, end: number): Uint8Array {
  let shared = 0
  while (shared < before.length && start + shared < end && before[shared] === key[start + shared]) shared++
  return keptCopy(key, start, Math.min(end, start + shared + 1))
}
