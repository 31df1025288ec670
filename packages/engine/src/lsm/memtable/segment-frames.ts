import { CorruptionError } from '../../errors.js'
import { align8, frameEnd, frameHeaderBytes, framesStart, recordHeaderBytes } from './segment-format.js'
import { recordEnd, type SegmentBytes } from './segment-record.js'

/** What a walk over a segment's frames found. */
export interface FrameWalk {
  /** Where the next frame would start. */
  end: number
  /** A seal closes the segment: nothing is missing at its end. */
  sealed: boolean
  frames: number
}

/**
 * Visits every record of every whole frame in order, from page 1 to the first place without a valid frame, or to `limit`.
 * Only checksummed frames are visited; one whose records do not add up is damage that the checksum missed, and is thrown.
 */
export function walkFrames(
  segment: SegmentBytes,
  salt: number,
  file: string,
  limit: number,
  onRecord: (offset: number) => void,
): FrameWalk {
  const { bytes, view } = segment
  let position = framesStart
  let frames = 0
  while (position < limit) {
    const end = frameEnd(view, bytes, salt, position)
    if (end === 0) break
    if (end === position + frameHeaderBytes) return { end: align8(end), sealed: true, frames }
    for (let record = position + frameHeaderBytes; record < end; ) {
      const next = record + recordHeaderBytes <= end ? recordEnd(view, record) : Infinity
      if (next > end) throw new CorruptionError(file, record, 'a record reaches beyond its frame')
      onRecord(record)
      record = next
    }
    frames++
    position = align8(end)
  }
  return { end: position, sealed: false, frames }
}

/**
 * Checks the frames that hold the records at `offsets` (ascending), and no other: what has been overwritten need not be whole. `limit` is where
 * the frames end. Returns how many records there are in all.
 */
export function checkFramesOf(
  segment: SegmentBytes,
  salt: number,
  file: string,
  limit: number,
  offsets: Uint32Array,
): number {
  const { bytes, view } = segment
  let records = 0
  let next = 0
  for (let position = framesStart; position < limit; ) {
    const end = position + frameHeaderBytes + view.getUint32(position + 4, true)
    if (end > limit || (next < offsets.length && offsets[next]! < end && frameEnd(view, bytes, salt, position) === 0))
      throw new CorruptionError(file, position, 'a frame that was written is no longer valid')
    while (next < offsets.length && offsets[next]! < end) next++
    records += view.getUint32(position + 8, true)
    position = align8(end)
  }
  if (next < offsets.length) throw new CorruptionError(file, offsets[next]!, 'a record that was written is in no frame')
  return records
}

const zeros = new Uint8Array(64 << 10)

/** How far behind `from` there is anything but zeros. Block by block: nearly all of a segment may be unused. */
export function bytesInUse(bytes: Uint8Array, from: number): number {
  for (let end = bytes.length; end > from; ) {
    const start = Math.max(from, end - zeros.length)
    const block = bytes.subarray(start, end)
    if (Buffer.compare(block, zeros.subarray(0, block.length)) !== 0)
      return start - from + block.findLastIndex((byte) => byte !== 0) + 1
    end = start
  }
  return 0
}
