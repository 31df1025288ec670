import { viewOf } from '../../bytes.js'
import { CorruptionError } from '../../errors.js'
import type { Storage } from '../../io/storage.js'
import { hashKey } from '../../key-hash.js'
import { newestOffsets } from '../memtable/memtable-index.js'
import { sortRecords } from '../memtable/memtable-sort.js'
import { RunCursor } from '../memtable/run-cursor.js'
import { previousAt, readSegmentHeader } from '../memtable/segment-format.js'
import { checkFramesOf } from '../memtable/segment-frames.js'
import type { SegmentBytes } from '../memtable/segment-record.js'
import { RangeTombstones } from '../range/range-tombstones.js'
import type { FlushJob, JobResult } from '../worker/job.js'
import { SeenVersions } from './seen-versions.js'
import { TableOutput } from './table-output.js'

/**
 * Sorts the records that are still seen, which is the newest of each key where no older moment is held, and writes them. The segment
 * is read from its file, and their frames are checked against their checksums: after this the log is removed.
 */
export function runFlush(storage: Storage, job: FlushJob): JobResult {
  const file = storage.openSegment(job.segment)
  try {
    const segment = { bytes: file.bytes, view: viewOf(file.bytes) }
    const header = readSegmentHeader(segment.view, segment.bytes, job.segment, job.segmentNumber)
    if (header === undefined) throw new CorruptionError(job.segment, 0, 'the segment header is blank')
    const newest = newestOffsets(job.slots)
    const run = job.held.length === 0 ? newest : withOlder(segment, newest)
    const records = checkFramesOf(segment, header.salt, job.segment, job.end, run.sort())
    if (job.keep) file.sync()
    const ranges = new RangeTombstones(job.ranges)
    sortRecords(segment, run)
    const output = new TableOutput(storage, [job.output], Infinity, job.tables, ranges)
    try {
      const cursor = new RunCursor(segment, run)
      const versions = new SeenVersions(ranges, job.held)
      let written = 0
      for (cursor.first(); cursor.valid; cursor.next()) {
        if (versions.isHidden(cursor)) continue
        output.add(cursor, hashKey(cursor.keyBytes, cursor.keyStart, cursor.keyEnd))
        written++
      }
      return { type: 'flush', written: output.finish(), dropped: records - written }
    } catch (error) {
      output.abandon()
      throw error
    }
  } finally {
    file.close()
  }
}

/** And all that the records given replaced in their segment. */
function withOlder({ view }: SegmentBytes, newest: Uint32Array): Uint32Array {
  const all: number[] = []
  for (const offset of newest) {
    for (let older = offset; older !== 0; older = view.getUint32(older + previousAt, true)) all.push(older)
  }
  return Uint32Array.from(all)
}
