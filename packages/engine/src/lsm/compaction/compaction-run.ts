import { CaskadeError } from '../../errors.js'
import type { Storage } from '../../io/storage.js'
import { hashKey } from '../../key-hash.js'
import { MergeCursor } from '../merge/merge-cursor.js'
import { openTable } from '../open-table.js'
import { RangeTombstones } from '../range/range-tombstones.js'
import { kindDelete, kindPut, type RecordFields } from '../record-cursor.js'
import { BlockCache } from '../table/block-cache.js'
import type { TableReader } from '../table/table-reader.js'
import type { CompactJob, JobResult } from '../worker/job.js'
import { LastKey } from './last-key.js'
import { SeenVersions } from './seen-versions.js'
import { TableOutput } from './table-output.js'

/**
 * Merges the inputs into new tables: of each key the newest record, and those that held moments see. At the bottom
 * tombstones (of keys and of ranges) and expired records go, unless a held moment lies before them; higher up an expired
 * record becomes a tombstone, because an older one below must not come back.
 */
export function runCompaction(storage: Storage, job: CompactJob, stopping?: Int32Array): JobResult {
  const readers: TableReader[] = []
  let output: TableOutput | undefined
  try {
    const cache = new BlockCache(1 << 20)
    for (const { path, number, sequenceShift } of job.inputs)
      readers.push(openTable(storage, path, number, cache, sequenceShift))
    const ranges = RangeTombstones.merged(
      readers.map((reader) => reader.ranges),
      job.held,
    )
    const deleted = RangeTombstones.merged([ranges, new RangeTombstones(job.deleted)], job.held)
    const merge = new MergeCursor(
      readers.map((reader) => reader.cursor('once', (block) => deleted.coversBlock(block, job.held))),
      'forward',
    )
    const versions = new SeenVersions(ranges, job.held)
    const droppableTo = job.bottom ? (job.held[0] ?? Infinity) : 0
    output = new TableOutput(storage, job.outputs, job.tableBytes, job.tables, ranges.without(droppableTo))
    const lastKey = new LastKey()
    let dropped = 0
    for (merge.start(undefined); merge.current !== undefined; merge.next()) {
      const record = merge.current
      if (isSet(job.aborted) || isSet(stopping)) throw new CaskadeError('CASKADE_ABORTED', 'the compaction was aborted')
      if (versions.isHidden(record)) {
        dropped++
        continue
      }
      const expired = record.kind === kindPut && record.expiresAt !== 0 && record.expiresAt <= job.now
      if (record.sequence <= droppableTo && (expired || record.kind === kindDelete)) {
        dropped++
        continue
      }
      if (lastKey.changesTo(record)) output.splitIfFull(record)
      output.add(expired ? tombstoneOf(record) : record, hashKey(record.keyBytes, record.keyStart, record.keyEnd))
    }
    return { type: 'compact', written: output.finish(), dropped }
  } catch (error) {
    output?.abandon()
    throw error
  } finally {
    for (const reader of readers) reader.close()
  }
}

const isSet = (flag: Int32Array | undefined) => flag !== undefined && Atomics.load(flag, 0) !== 0

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
