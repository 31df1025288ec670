import { copyBytes } from '../copy-bytes.js'
import {
  flagDelete,
  flagsAt,
  keyLengthAt,
  previousAt,
  recordBytes,
  recordHeaderBytes,
  sequenceHighAt,
  sequenceLowAt,
  timeFlags,
  valueLengthAt,
} from '../lsm/memtable/segment-format.js'
import type { SegmentBytes } from '../lsm/memtable/segment-record.js'
import { kindDelete, type RecordFields } from '../lsm/record-cursor.js'

/**
 * Encodes a record at `offset`; returns its end. `frame`: where its frame begins, if it is not alone in it, else 0: what a
 * read of the record needs to find the checksum it is under.
 */
export function writeRecord(
  { bytes, view }: SegmentBytes,
  offset: number,
  record: RecordFields,
  frame: number,
): number {
  const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd, kind, expiresAt, tag, writtenAt, sequence } =
    record
  const keyLength = keyEnd - keyStart
  const valueLength = valueEnd - valueStart
  const flags = (kind === kindDelete ? flagDelete : 0) | timeFlags(expiresAt, writtenAt) | (tag << 4)
  view.setUint32(offset + flagsAt, flags, true)
  view.setUint16(offset + keyLengthAt, keyLength, true)
  view.setUint32(offset + valueLengthAt, valueLength, true)
  view.setUint32(offset + previousAt, frame, true)
  view.setUint32(offset + sequenceLowAt, sequence % 0x1_0000_0000, true)
  view.setUint32(offset + sequenceHighAt, Math.floor(sequence / 0x1_0000_0000), true)
  let position = offset + recordHeaderBytes
  if (expiresAt !== 0) {
    view.setFloat64(position, expiresAt, true)
    position += 8
  }
  if (writtenAt !== 0) {
    view.setUint32(position, writtenAt % 0x1_0000_0000, true)
    view.setUint16(position + 4, Math.floor(writtenAt / 0x1_0000_0000), true)
    position += 6
  }
  position = copyBytes(keyBytes, keyStart, keyEnd, bytes, position)
  position = copyBytes(valueBytes, valueStart, valueEnd, bytes, position)
  const end = offset + recordBytes(keyLength, valueLength, flags)
  // The place may hold what an aborted batch left.
  while (position < end) bytes[position++] = 0
  return end
}
