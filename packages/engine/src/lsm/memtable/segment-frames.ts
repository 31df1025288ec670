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
