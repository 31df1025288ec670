import { keptCopy } from '../../copy-bytes.js'
import { CorruptionError } from '../../errors.js'
import type { Change } from '../../store.js'
import { FoundRecord } from '../found-record.js'
import { align8, frameEnd, frameHeaderBytes } from '../memtable/segment-format.js'
import { readRecord, recordEnd, recordSequence, type SegmentBytes } from '../memtable/segment-record.js'
import { kindDelete, kindDeleteRange } from '../record-cursor.js'

/** A segment to read changes from. */
export interface ChangeSegment extends SegmentBytes {
  readonly salt: number
  readonly path: string
}

/** A place between two frames of a segment. */
export interface FramePlace {
  offset: number
}

/**
 * The writes after `since`, from the frame at `place` to the one that ends at `end()`, which may move on meanwhile. `place` is kept behind the
 * last frame that was given whole. A frame is checked against its checksum before anything of it is given.
 */
export function* segmentChanges(
  segment: ChangeSegment,
  place: FramePlace,
  end: () => number,
  since: number,
): Generator<Change, undefined> {
  const { bytes, view, salt, path } = segment
  while (place.offset < end()) {
    const frame = place.offset
    const records = frame + frameHeaderBytes
    const stop = records + view.getUint32(frame + 4, true)
    const count = view.getUint32(frame + 8, true)
    // The sequences of a frame are consecutive.
    if (count > 0 && recordSequence(view, records) + count - 1 > since) {
      if (frameEnd(view, bytes, salt, frame) !== stop)
        throw new CorruptionError(path, frame, 'a frame does not match its checksum')
      for (let offset = records; offset < stop; ) {
        const next = recordEnd(view, offset)
        if (recordSequence(view, offset) > since) yield changeAt(segment, offset, next >= stop)
        offset = next
      }
    }
    place.offset = align8(stop)
  }
}

function changeAt(segment: SegmentBytes, offset: number, batchEnd: boolean): Change {
  const record = new FoundRecord()
  readRecord(segment, offset, record)
  const { keyBytes, keyStart, keyEnd, valueStart, valueEnd, kind, sequence, expiresAt, tag, writtenAt } = record
  const key = keptCopy(keyBytes, keyStart, keyEnd)
  const value = keptCopy(keyBytes, valueStart, valueEnd)
  if (kind === kindDelete) return { type: 'delete', sequence, key, batchEnd }
  if (kind === kindDeleteRange)
    return {
      type: 'deleteRange',
      sequence,
      range: value.length === 0 ? { gte: key } : { gte: key, lt: value },
      batchEnd,
    }
  return { type: 'put', sequence, key, value, expiresAt, tag, writtenAt, batchEnd }
}
