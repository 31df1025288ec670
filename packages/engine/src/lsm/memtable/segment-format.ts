import { crc32 } from '../../checksum.js'
import { CorruptionError, NewerFormatError } from '../../errors.js'

/**
 * The log segment, write-ahead log and memtable in one. docs/engine/segment-format.md has the picture.
 *
 *   page 0: header, two watermark slots          4096: frames, back to back, 8-byte aligned, then zeros
 *   frame:  crc u32 | payload length u32 | record count u32, then the records: one write, or one atomic batch
 *   record: 20-byte header, [expiresAt f64], [writtenAt u48], key, value, zeros to a multiple of 4
 *
 * All integers are little-endian. The checksum of a frame is seeded with the segment's random salt and the frame's offset,
 * so that a frame of another file, of another place, or of an earlier life of the same blocks does not pass.
 */
/** "CSKDLOG\n" */
export const segmentMagic = 0x0a474f4c444b5343n
export const segmentVersion = 1
export const framesStart = 4096
export const frameHeaderBytes = 12
export const recordHeaderBytes = 20
/** Offsets stay within 31 bits, where JavaScript's bitwise operators agree with its numbers. */
export const segmentBytesMax = 0x7fff_f000

// Record header, from the record's start.
export const flagsAt = 0 // bit 0: delete, bit 1: expires, bit 2: has writtenAt, bit 3: delete range, bits 4-7: tag
export const keyLengthAt = 2
export const valueLengthAt = 4
/** Offset of the same key's previous record in this segment, 0 for none: the chain that reads at a past moment follow. */
export const previousAt = 8
export const sequenceLowAt = 12
export const sequenceHighAt = 16

export const flagDelete = 1
export const flagExpires = 2
export const flagWrittenAt = 4
/** Key and value are the bounds of a range, without the upper one; an empty value is no upper bound. */
export const flagRange = 8

export interface SegmentHeader {
  fileNumber: number
  salt: number
}

/** What was known to be on disk; slots are written in turn, so that one is whole at any moment. */
export interface Watermark {
  generation: number
  /** Everything before this offset had been synced. */
  syncedEnd: number
}

const headerEnd = 32
const watermarkSlots = [64, 128] as const

export function writeSegmentHeader(view: DataView, bytes: Uint8Array, header: SegmentHeader): void {
  view.setBigUint64(0, segmentMagic, true)
  view.setUint32(8, segmentVersion, true)
  view.setUint32(12, header.salt, true)
  view.setBigUint64(16, BigInt(header.fileNumber), true)
  view.setUint32(24, 0, true)
  view.setUint32(28, crc32(bytes, view, 0, 28, 0), true)
}

/** `undefined`: the header was never written (all zeros), or not all of it. */
export function readSegmentHeader(
  view: DataView,
  bytes: Uint8Array,
  file: string,
  fileNumber: number,
): SegmentHeader | undefined {
  if (bytes.length < 8 || bytes.subarray(0, headerEnd).every((byte) => byte === 0)) return undefined
  if (view.getBigUint64(0, true) !== segmentMagic) throw new CorruptionError(file, 0, 'not a log segment (bad magic)')
  if (bytes.length < framesStart) return undefined
  if (view.getUint32(28, true) !== crc32(bytes, view, 0, 28, 0))
    throw new CorruptionError(file, 0, 'segment header checksum mismatch')
  const version = view.getUint32(8, true)
  if (version > segmentVersion) throw new NewerFormatError(file, version, segmentVersion)
  const found = Number(view.getBigUint64(16, true))
  if (found !== fileNumber) throw new CorruptionError(file, 16, `this is segment ${found} under another's name`)
  return { fileNumber, salt: view.getUint32(12, true) }
}

/** Returns the slot's offsets, for the commit. */
export function writeWatermark(
  view: DataView,
  bytes: Uint8Array,
  salt: number,
  watermark: Watermark,
): { start: number; end: number } {
  const start = watermarkSlots[watermark.generation & 1]!
  view.setUint32(start, watermark.generation, true)
  view.setUint32(start + 4, watermark.syncedEnd, true)
  view.setUint32(start + 8, crc32(bytes, view, start, start + 8, salt), true)
  return { start, end: start + 12 }
}

/** The newest whole watermark; none written yet counts as nothing synced. */
export function readWatermark(view: DataView, bytes: Uint8Array, salt: number): Watermark {
  let newest: Watermark = { generation: 0, syncedEnd: framesStart }
  for (const start of watermarkSlots) {
    if (view.getUint32(start + 8, true) !== crc32(bytes, view, start, start + 8, salt)) continue
    const generation = view.getUint32(start, true)
    if (generation > newest.generation) newest = { generation, syncedEnd: view.getUint32(start + 4, true) }
  }
  return newest
}

export const align4 = (bytes: number) => (bytes + 3) & ~3
export const align8 = (bytes: number) => (bytes + 7) & ~7

/** The flags that say which times a record carries: `flagExpires`, `flagWrittenAt`. */
export function timeFlags(expiresAt: number, writtenAt: number): number {
  return (expiresAt === 0 ? 0 : flagExpires) | (writtenAt === 0 ? 0 : flagWrittenAt)
}

/** Bytes of a record's times, which lie between header and key: 8 for the expiry, 6 for `writtenAt`. No branch: it is in every key comparison. */
export function timeBytes(flags: number): number {
  return ((flags & flagExpires) << 2) + (flags & flagWrittenAt) + ((flags & flagWrittenAt) >>> 1)
}

export function recordBytes(keyLength: number, valueLength: number, flags: number): number {
  return align4(recordHeaderBytes + timeBytes(flags) + keyLength + valueLength)
}

/** Writes a frame's header over an already written payload: the frame exists from the moment the checksum is stored. */
export function sealFrame(
  view: DataView,
  bytes: Uint8Array,
  salt: number,
  start: number,
  end: number,
  count: number,
): void {
  view.setUint32(start + 4, end - start - frameHeaderBytes, true)
  view.setUint32(start + 8, count, true)
  view.setUint32(start, crc32(bytes, view, start + 4, end, (salt ^ start) >>> 0), true)
}

/** End of the valid frame at `start`, or 0 when there is none. Never reads outside `bytes`. */
export function frameEnd(view: DataView, bytes: Uint8Array, salt: number, start: number): number {
  if (start + frameHeaderBytes > bytes.length) return 0
  const end = start + frameHeaderBytes + view.getUint32(start + 4, true)
  if (end > bytes.length) return 0
  return view.getUint32(start, true) === crc32(bytes, view, start + 4, end, (salt ^ start) >>> 0) ? end : 0
}
