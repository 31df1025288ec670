import {
  align8,
  frameEnd,
  frameHeaderBytes,
  framesStart,
  keyLengthAt,
  recordHeaderBytes,
} from '../memtable/segment-format.js'
import { recordEnd, type SegmentBytes } from '../memtable/segment-record.js'

export interface SalvagedFrame {
  start: number
  end: number
}

/**
 * Every frame of a segment whose checksum holds, wherever it lies; the seal is none. Behind a damaged place each position is
 * tried that could begin a frame: a checksum is computed only where the first record fits, so this costs little more than a walk.
 */
export function* salvageFrames(segment: SegmentBytes, salt: number): Generator<SalvagedFrame> {
  const { bytes, view } = segment
  const last = bytes.length - frameHeaderBytes - recordHeaderBytes
  for (let start = framesStart; start <= last; ) {
    const end = looksLikeFrame(segment, start) ? frameEnd(view, bytes, salt, start) : 0
    if (end !== 0) yield { start, end }
    start = end === 0 ? start + 8 : align8(end)
  }
}

function looksLikeFrame({ bytes, view }: SegmentBytes, start: number): boolean {
  const end = start + frameHeaderBytes + view.getUint32(start + 4, true)
  const record = start + frameHeaderBytes
  if (end > bytes.length || view.getUint32(start + 8, true) === 0) return false
  return view.getUint16(record + keyLengthAt, true) > 0 && recordEnd(view, record) <= end
}
