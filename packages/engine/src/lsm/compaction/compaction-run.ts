import { CaskadeError } from '../../errors.js'
import type { Storage } from '../../io/storage.js'
import { hashKey } from '../../key-hash.js'
import { MergeCursor } from '../merge/merge-cursor.js'
import { openTable } from '../open-table.js'
import { kindDelete, kindPut, type RecordFields } from '../record-cursor.js'
import { BlockCache } from '../table/block-cache.js'
import type { TableReader } from '../table/table-reader.js'
import type { CompactJob, JobResult } from '../worker/job.js'
import { NewestOnly } from './newest-only.js'
import { TableOutput } from './table-output.js'

/**
 * Merges the inputs into new tables: of each key the newest record. At the bottom tombstones and expired records go;
 * higher up an expired record becomes a tombstone, because an older one below must not come back.
 */
export function runCompaction(storage: Storage, job: CompactJob): JobResult {
  const readers: TableReader[] = []
  const output = new TableOutput(storage, job.outputs, job.tableBytes, job.tables)
  try {
    const cache = new BlockCache(1 << 20)
    for (const { path, number } of job.inputs) readers.push(openTable(storage, path, number, cache))
    const merge = new MergeCursor(
      readers.map((reader) => reader.cursor({ readahead: true })),
      'forward',
    )
    const newest = new NewestOnly()
    let dropped = 0
    for (merge.start(undefined); merge.current !== undefined; merge.next()) {
      const record = merge.current
      if (job.aborted !== undefined && Atomics.load(job.aborted, 0) !== 0)
        throw new CaskadeError('CASKADE_ABORTED', 'the compaction was aborted')
      if (newest.isOlder(record)) {
        dropped++
        continue
      }
      const expired = record.kind === kindPut && record.expiresAt !== 0 && record.expiresAt <= job.now
      if (job.bottom && (expired || record.kind === kindDelete)) {
        dropped++
        continue
      }
      output.splitIfFull()
      output.add(expired ? tombstoneOf(record) : record, hashKey(record.keyBytes, record.keyStart, record.keyEnd))
    }
    return { type: 'compact', written: output.finish(), dropped }
  } catch (error) {
    output.abandon()
    throw error
  } finally {
    for (const reader of readers) reader.close()
  }
}

function tombstoneOf({ keyBytes, keyStart, keyEnd, sequence }: RecordFields): RecordFields {
  return {
    keyBytes,
    keyStart,
    keyEnd,
    valueBytes: keyBytes,
    valueStart: 0,
    valueEnd: 0,
    sequence,
    kind: kindDelete,
    expiresAt: 0,
    tag: 0,
    writtenAt: 0,
  }
}
