import { viewOf } from '../bytes.js'
import { CorruptionError } from '../errors.js'
import { readWhole } from '../io/read-whole.js'
import type { Storage } from '../io/storage.js'
import { walkFrames } from './memtable/segment-frames.js'
import { openTable } from './open-table.js'
import { BlockCache } from './table/block-cache.js'
import type { FileDamage, JobResult, SegmentPlace, VerifyJob } from './worker/job.js'

/** Damage is reported and the next file looked at; any other error ends it. */
export function runVerify(storage: Storage, { tables, kept }: VerifyJob): JobResult {
  const result = { type: 'verify' as const, files: 0, bytes: 0, records: 0, errors: [] as FileDamage[] }
  const attempt = (path: string, check: () => void) => {
    result.files++
    try {
      check()
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error
      result.errors.push({ file: path, offset: error.offset, message: error.message })
    }
  }
  for (const { path, number } of tables) {
    attempt(path, () => {
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
    attempt(segment.path, () => verifySegment(storage, segment, () => {}))
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
