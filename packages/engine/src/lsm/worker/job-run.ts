import { runBitcaskJob } from '../../bitcask/job-run.js'
import { CorruptionError } from '../../errors.js'
import type { Storage } from '../../io/storage.js'
import { runCompaction } from '../compaction/compaction-run.js'
import { runFlush } from '../compaction/flush-run.js'
import { runCopy } from '../copy-run.js'
import { runBuild } from '../ingest/build-run.js'
import { openTable } from '../open-table.js'
import { BlockCache } from '../table/block-cache.js'
import type { TableReader } from '../table/table-reader.js'
import { runAllocate, runCreate } from './allocate-run.js'
import type { FileDamage, Job, JobResult, RemoveJob, VerifyJob } from './job.js'

/** `stopping`, shared memory: not 0 when nobody wants the result any more, which long jobs ask for. */
export function runJob(storage: Storage, job: Job, stopping?: Int32Array): JobResult {
  switch (job.type) {
    case 'flush':
      return runFlush(storage, job)
    case 'compact':
      return runCompaction(storage, job, stopping)
    case 'verify':
      return runVerify(storage, job)
    case 'build':
      return runBuild(storage, job)
    case 'copy':
      return runCopy(storage, job)
    case 'create':
      return runCreate(storage, job)
    case 'allocate':
      return runAllocate(storage, job)
    case 'remove':
      return runRemove(storage, job)
    case 'settle':
    case 'merge':
    case 'verify-data':
      return runBitcaskJob(storage, job)
  }
}

function runRemove(storage: Storage, { manifest, files }: RemoveJob): JobResult {
  storage.syncFile(manifest)
  for (const file of files) storage.remove(file)
  return { type: 'remove' }
}

function runVerify(storage: Storage, job: VerifyJob): JobResult {
  const result = { type: 'verify' as const, files: 0, bytes: 0, records: 0, errors: [] as FileDamage[] }
  for (const { path, number } of job.tables) {
    result.files++
    let reader: TableReader | undefined
    try {
      reader = openTable(storage, path, number, new BlockCache(1 << 20))
      const { records, bytes } = reader.verify()
      result.records += records
      result.bytes += bytes
    } catch (error) {
      if (!(error instanceof CorruptionError)) throw error
      result.errors.push({ file: path, offset: error.offset, message: error.message })
    } finally {
      reader?.close()
    }
  }
  return result
}
