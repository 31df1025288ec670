import { viewOf } from '../../bytes.js'
import { CorruptionError } from '../../errors.js'
import type { Storage } from '../../io/storage.js'
import { hashKey } from '../../key-hash.js'
import { newestOffsets } from '../memtable/memtable-index.js'
import { sortRecords } from '../memtable/memtable-sort.js'
import { RunCursor } from '../memtable/run-cursor.js'
import { readSegmentHeader } from '../memtable/segment-format.js'
import { walkFrames } from '../memtable/segment-frames.js'
import type { FlushJob, JobResult } from '../worker/job.js'
import { TableOutput } from './table-output.js'

/**
 * Sorts the newest record of each key and writes them. The segment is read from its file, and every frame checked against its
 * checksum: after this the log is removed.
 */
export function runFlush(storage: Storage, job: FlushJob): JobResult {
  const file = storage.openSegment(job.segment)
  try {
    const segment = { bytes: file.bytes, view: viewOf(file.bytes) }
    const header = readSegmentHeader(segment.view, segment.bytes, job.segment, job.segmentNumber)
    if (header === undefined) throw new CorruptionError(job.segment, 0, 'the segment header is blank')
    let records = 0
    const walk = walkFrames(segment, header.salt, job.segment, job.end, () => records++)
    if (walk.end < job.end && !walk.sealed)
      throw new CorruptionError(job.segment, walk.end, 'a frame that was written is no longer valid')
    const run = newestOffsets(job.slots)
    sortRecords(segment, run)
    const output = new TableOutput(storage, [job.output], Infinity, job.tables)
    try {
      const cursor = new RunCursor(segment, run)
      for (cursor.first(); cursor.valid; cursor.next()) {
        output.add(cursor, hashKey(cursor.keyBytes, cursor.keyStart, cursor.keyEnd))
      }
      return { type: 'flush', written: output.finish(), dropped: records - run.length }
    } catch (error) {
      output.abandon()
      throw error
    }
  } finally {
    file.close()
  }
}
