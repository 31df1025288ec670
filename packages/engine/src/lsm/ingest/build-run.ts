import type { Storage } from '../../io/storage.js'
import { hashKey } from '../../key-hash.js'
import { TableOutput } from '../compaction/table-output.js'
import { noRanges } from '../range/range-tombstones.js'
import type { BuildJob, JobResult } from '../worker/job.js'
import { batchRecords } from './record-batch.js'

/** Writes a batch of sorted records as one table, durable when this returns. */
export function runBuild(storage: Storage, { records, output, tables }: BuildJob): JobResult {
  const target = new TableOutput(storage, [output], Infinity, tables, noRanges)
  try {
    for (const record of batchRecords(records))
      target.add(record, hashKey(record.keyBytes, record.keyStart, record.keyEnd))
    return { type: 'build', written: target.finish(), dropped: 0 }
  } catch (error) {
    target.abandon()
    throw error
  }
}
