import { viewOf } from '../bytes.js'
import { CorruptionError } from '../errors.js'
import { readWhole } from '../io/read-whole.js'
import type { Storage } from '../io/storage.js'
import type { VerifyReport } from '../store.js'
import { walkFrames } from './memtable/segment-frames.js'
import { openTable } from './open-table.js'
import { BlockCache } from './table/block-cache.js'
import type { FileDamage, JobResult, SegmentPlace, VerifyJob } from './worker/job.js'

/** Looks at one file: damage is reported, any other error thrown. */
export function verifyFile(report: VerifyReport, check: () => void): void {
  report.files++
  try {
    check()
  } catch (error) {
    if (!(error instanceof CorruptionError)) throw error
    report.errors.push({ file: error.file, offset: error.offset, message: error.message })
  }
}

export function runVerify(storage: Storage, { tables, kept }: VerifyJob): JobResult {
  const result = { type: 'verify' as const, files: 0, bytes: 0, records: 0, errors: [] as FileDamage[] }
  for (const { path, number } of tables) {
    verifyFile(result, () => {
      const reader = openTable(storage, path, number, new BlockCache(1 << 20))
      try {
        const { records, bytes } = reader.verify()
        result.records += records
        result.bytes += bytes
      } finally {
        reader.close()
      }
    })
  }
  for (const segment of kept) {
    verifyFile(result, () => verifySegment(storage, segment, () => {}))
    result.bytes += segment.end
  }
  return result
}

/** A sealed segment of the log, up to the end that the manifest has of it. Throws `CorruptionError`. */
export function verifySegment(storage: Storage, { path, salt, end }: SegmentPlace, onRecord: () => void): void {
  const bytes = readWhole(storage, path)
  const walk = walkFrames({ bytes, view: viewOf(bytes) }, salt, path, end, onRecord)
  if (walk.end < end) throw new CorruptionError(path, walk.end, 'a record does not match its checksum')
}
