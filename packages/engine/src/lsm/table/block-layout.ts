import { kindDelete, type RecordFields } from '../record-cursor.js'

/**
 * A data block; docs/engine/table-format.md draws it. Records are not delta-coded, so that any of them can be lent out in
 * place (a compressed value but for itself), and a block begins with one fingerprint byte per record, so that a point read touches the
 * fingerprints, one offset and the record: two or three cache lines, where a binary search over the keys takes five.
 */
export const blockHeaderBytes = 10
export const blockEntriesMax = 65_535
/** Key length, value length, meta, sequence, expiry, time of writing, size of a compressed value. */
export const recordHeaderBytesMax = 3 + 5 + 1 + 7 + 8 + 7 + 3

const metaDelete = 1
const metaExpires = 2
const metaTagShift = 2
const metaTagMask = 15
const metaWrittenAt = 1 << 6
const metaCompressed = 1 << 7

/** One byte of the key's hash; the filter uses others first. */
export function fingerprintOf(hash: number): number {
  return hash & 0xff
}

/**
 * Writes everything of a record but its key and value; returns the offset behind it. The value will take `storedBytes`:
 * compressed, if that is less than it has.
 */
export function encodeRecordHeader(
  bytes: Uint8Array,
  at: number,
  fields: RecordFields,
  storedBytes: number,
  baseSequence: number,
  baseWrittenAt: number,
): number {
  at = putVarint(bytes, at, fields.keyEnd - fields.keyStart)
  at = putVarint(bytes, at, storedBytes)
  const size = fields.valueEnd - fields.valueStart
  const compressed = storedBytes !== size
  bytes[at++] =
    (fields.kind === kindDelete ? metaDelete : 0) |
    (fields.expiresAt === 0 ? 0 : metaExpires) |
    (fields.tag << metaTagShift) |
    (fields.writtenAt === 0 ? 0 : metaWrittenAt) |
    (compressed ? metaCompressed : 0)
  at = putVarint(bytes, at, zigzag(fields.sequence - baseSequence))
  if (fields.expiresAt !== 0) at = putVarint(bytes, at, fields.expiresAt)
  if (fields.writtenAt !== 0) at = putVarint(bytes, at, zigzag(fields.writtenAt - baseWrittenAt))
  return compressed ? putVarint(bytes, at, size) : at
}

const zigzag = (delta: number) => (delta < 0 ? -2 * delta - 1 : 2 * delta)
const unzigzag = (value: number) => (value % 2 === 0 ? value / 2 : -(value + 1) / 2)

/**
 * Lends the record at `at` to `target`. The block must have passed `checkBlock`. Not 0: `target` has the value compressed, and this is its size
 * once it is not.
 */
export function decodeRecord(
  bytes: Uint8Array,
  at: number,
  baseSequence: number,
  baseWrittenAt: number,
  target: RecordFields,
): number {
  let byte = bytes[at++]!
  let keyLength = byte & 0x7f
  for (let shift = 7; byte >= 0x80; shift += 7) {
    byte = bytes[at++]!
    keyLength |= (byte & 0x7f) << shift
  }
  byte = bytes[at++]!
  let valueLength = byte & 0x7f
  for (let shift = 7; byte >= 0x80; shift += 7) {
    byte = bytes[at++]!
    valueLength |= (byte & 0x7f) << shift
  }
  const meta = bytes[at++]!
  byte = bytes[at++]!
  let delta = byte & 0x7f
  for (let shift = 7; byte >= 0x80 && shift < 28; shift += 7) {
    byte = bytes[at++]!
    delta |= (byte & 0x7f) << shift
  }
  if (byte < 0x80) {
    target.sequence = baseSequence + ((delta >>> 1) ^ -(delta & 1))
  } else {
    for (let scale = 2 ** 28; byte >= 0x80; scale *= 128) {
      byte = bytes[at++]!
      delta += (byte & 0x7f) * scale
    }
    target.sequence = baseSequence + unzigzag(delta)
  }
  if ((meta & metaExpires) !== 0) {
    target.expiresAt = wideVarint(bytes, at)
    at = behindVarint(bytes, at)
  } else {
    target.expiresAt = 0
  }
  if ((meta & metaWrittenAt) !== 0) {
    target.writtenAt = baseWrittenAt + unzigzag(wideVarint(bytes, at))
    at = behindVarint(bytes, at)
  } else {
    target.writtenAt = 0
  }
  let size = 0
  if ((meta & metaCompressed) !== 0) {
    byte = bytes[at++]!
    size = byte & 0x7f
    for (let shift = 7; byte >= 0x80; shift += 7) {
      byte = bytes[at++]!
      size |= (byte & 0x7f) << shift
    }
  }
  const keyEnd = at + keyLength
  target.keyBytes = bytes
  target.keyStart = at
  target.keyEnd = keyEnd
  target.valueBytes = bytes
  target.valueStart = keyEnd
  target.valueEnd = keyEnd + valueLength
  target.kind = meta & metaDelete
  target.tag = (meta >>> metaTagShift) & metaTagMask
  return size
}

/** A varint of any length, beyond what bitwise operators can hold. */
function wideVarint(bytes: Uint8Array, at: number): number {
  let value = 0
  let byte = 0x80
  for (let scale = 1; byte >= 0x80; scale *= 128) {
    byte = bytes[at++]!
    value += (byte & 0x7f) * scale
  }
  return value
}

function behindVarint(bytes: Uint8Array, at: number): number {
  while (bytes[at]! >= 0x80) at++
  return at + 1
}

/**
 * What is wrong with the block in `bytes[start, start + length)`, or `undefined`. After it no record of the block can
 * lead a reader out of it, whoever wrote the block and its checksum. Costs a few nanoseconds a record.
 */
export function checkBlock(bytes: Uint8Array, start: number, length: number): string | undefined {
  if (length < blockHeaderBytes) return `a block of ${length} bytes has no room for its header`
  const count = bytes[start]! | (bytes[start + 1]! << 8)
  const offsetBytes = bytes[start + 2]!
  if (count === 0) return 'a block without records'
  if ((offsetBytes !== 2 && offsetBytes !== 4) || bytes[start + 3] !== 0) return 'a block header of unknown shape'
  const end = start + length
  let at = start + blockHeaderBytes + count * (1 + offsetBytes)
  const offsets = start + blockHeaderBytes + count
  for (let i = 0; i < count; i++) {
    if (at >= end || start + offsetAt(bytes, offsets, offsetBytes, i) !== at)
      return `record ${i} is not where its offset says`
    at = recordEnd(bytes, at, end)
    if (at < 0) return `record ${i} reaches beyond its block`
  }
  return at === end ? undefined : 'bytes follow the last record of a block'
}

/** -1: malformed, or longer than the block. Checks what `decodeRecord` takes for granted. */
function recordEnd(bytes: Uint8Array, at: number, end: number): number {
  let keyLength = 0
  let valueLength = 0
  let byte = 0x80
  for (let shift = 0; byte >= 0x80; shift += 7) {
    if (at >= end || shift > 14) return -1
    byte = bytes[at++]!
    keyLength |= (byte & 0x7f) << shift
  }
  byte = 0x80
  for (let shift = 0; byte >= 0x80; shift += 7) {
    if (at >= end || shift > 21) {
      // 256 MiB exactly takes a fifth byte, of which only the lowest bit is used.
      if (at >= end || shift > 28 || bytes[at]! > 1) return -1
    }
    byte = bytes[at++]!
    valueLength |= (byte & 0x7f) << shift
  }
  if (keyLength === 0 || at >= end) return -1
  const meta = bytes[at++]!
  at = varintEnd(bytes, at, end, 7)
  if (at >= 0 && (meta & metaExpires) !== 0) at = varintEnd(bytes, at, end, 8)
  if (at >= 0 && (meta & metaWrittenAt) !== 0) at = varintEnd(bytes, at, end, 7)
  if (at >= 0 && (meta & metaCompressed) !== 0) at = varintEnd(bytes, at, end, 3)
  if (at < 0) return -1
  at += keyLength + valueLength
  return at > end ? -1 : at
}

/** Behind a varint of at most `bytesMax` bytes; -1: longer, or out of the block. */
function varintEnd(bytes: Uint8Array, at: number, end: number, bytesMax: number): number {
  for (let digits = 0; digits < bytesMax && at < end; digits++) if (bytes[at++]! < 0x80) return at
  return -1
}

/** Of record `i`, from the block's start; `offsets` is where the offset array begins. */
export function offsetAt(bytes: Uint8Array, offsets: number, offsetBytes: number, i: number): number {
  if (offsetBytes === 2) {
    const at = offsets + i * 2
    return bytes[at]! | (bytes[at + 1]! << 8)
  }
  const at = offsets + i * 4
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

/**
 * Index of the first of `count` bytes from `start` that equals `fingerprint`, looking from index `from` on; `count` or more if none.
 * Four at a time (the zero-byte test of Warren, "Hacker's Delight" 6-1); may read up to three bytes behind the last,
 * which in a block are offsets.
 */
export function findFingerprint(
  view: DataView,
  start: number,
  count: number,
  from: number,
  fingerprint: number,
): number {
  const pattern = Math.imul(fingerprint, 0x01010101)
  for (let i = from; i < count; i += 4) {
    const difference = view.getInt32(start + i, true) ^ pattern
    const zeros = (difference - 0x01010101) & ~difference & 0x80808080
    if (zeros !== 0) return i + ((31 - Math.clz32(zeros & -zeros)) >>> 3)
  }
  return count
}

export function putVarint(bytes: Uint8Array, at: number, value: number): number {
  while (value >= 2 ** 31) {
    bytes[at++] = (value % 128) | 0x80
    value = Math.floor(value / 128)
  }
  while (value >= 0x80) {
    bytes[at++] = (value & 0x7f) | 0x80
    value >>>= 7
  }
  bytes[at++] = value
  return at
}

export function putUint48(bytes: Uint8Array, at: number, value: number): number {
  const low = value >>> 0
  const high = Math.floor(value / 2 ** 32)
  bytes[at] = low
  bytes[at + 1] = low >>> 8
  bytes[at + 2] = low >>> 16
  bytes[at + 3] = low >>> 24
  bytes[at + 4] = high
  bytes[at + 5] = high >>> 8
  return at + 6
}

export function getUint48(bytes: Uint8Array, at: number): number {
  const low = (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  return low + (bytes[at + 4]! | (bytes[at + 5]! << 8)) * 2 ** 32
}
