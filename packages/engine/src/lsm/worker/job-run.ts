import { runBitcaskJob } from '../../bitcask/job-run.js'
import type { Storage } from '../../io/storage.js'
import { runCompaction } from '../compaction/compaction-run.js'
import { runFlush } from '../compaction/flush-run.js'
import { runCopy } from '../copy-run.js'
import { runBuild } from '../ingest/build-run.js'
import { runVerify } from '../verify-run.js'
import { runAllocate, runCreate } from './allocate-run.js'
import type { Job, JobResult, RemoveJob } from './job.js'

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
