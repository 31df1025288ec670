import { compareSlices } from '../../bytes.js'
import { kindDelete, kindDeleteRange, kindPut, type RecordFields } from '../record-cursor.js'
import {
  flagDelete,
  flagExpires,
  flagRange,
  flagsAt,
  flagWrittenAt,
  keyLengthAt,
  recordBytes,
  recordHeaderBytes,
  sequenceHighAt,
  sequenceLowAt,
  timeBytes,
  valueLengthAt,
} from './segment-format.js'

/** The bytes of a segment, as the two views that reading records needs. */
export interface SegmentBytes {
  readonly bytes: Uint8Array
  readonly view: DataView
}

export function recordKeyStart(view: DataView, offset: number): number {
  return offset + recordHeaderBytes + timeBytes(view.getUint8(offset + flagsAt))
}

export const isRangeRecord = (view: DataView, offset: number) => (view.getUint8(offset + flagsAt) & flagRange) !== 0

export function recordSequence(view: DataView, offset: number): number {
  return view.getUint16(offset + sequenceHighAt, true) * 0x1_0000_0000 + view.getUint32(offset + sequenceLowAt, true)
}

export function recordEnd(view: DataView, offset: number): number {
  return (
    offset +
    recordBytes(
      view.getUint16(offset + keyLengthAt, true),
      view.getUint32(offset + valueLengthAt, true),
      view.getUint8(offset + flagsAt),
    )
  )
}

export function readRecord({ bytes, view }: SegmentBytes, offset: number, target: RecordFields): void {
  const flags = view.getUint8(offset + flagsAt)
  let position = offset + recordHeaderBytes
  if (flags & flagExpires) {
    target.expiresAt = view.getFloat64(position, true)
    position += 8
  } else target.expiresAt = 0
  if (flags & flagWrittenAt) {
    target.writtenAt = view.getUint32(position, true) + view.getUint16(position + 4, true) * 0x1_0000_0000
    position += 6
  } else target.writtenAt = 0
  target.kind = flags & flagRange ? kindDeleteRange : flags & flagDelete ? kindDelete : kindPut
  target.tag = flags >>> 4
  target.sequence = recordSequence(view, offset)
  target.keyBytes = bytes
  target.keyStart = position
  target.keyEnd = position + view.getUint16(offset + keyLengthAt, true)
  target.valueBytes = bytes
  target.valueStart = target.keyEnd
  target.valueEnd = target.keyEnd + view.getUint32(offset + valueLengthAt, true)
}

/** Negative, zero or positive as the record's key is before, at or after `source[start, end)`. */
export function compareRecordKey(
  { bytes, view }: SegmentBytes,
  offset: number,
  source: Uint8Array,
  start: number,
  end: number,
): number {
  const keyStart = recordKeyStart(view, offset)
  return compareSlices(bytes, keyStart, keyStart + view.getUint16(offset + keyLengthAt, true), source, start, end)
}

export function recordKeyEquals(
  { bytes, view }: SegmentBytes,
  offset: number,
  source: Uint8Array,
  start: number,
  end: number,
): boolean {
  const length = end - start
  if (view.getUint16(offset + keyLengthAt, true) !== length) return false
  const keyStart = recordKeyStart(view, offset)
  for (let i = 0; i < length; i++) if (bytes[keyStart + i] !== source[start + i]) return false
  return true
}
