import { dirname } from 'node:path'
import type { Storage } from '../../io/storage.js'
import type { AllocateJob, CreateJob, JobResult } from './job.js'

export function runCreate(storage: Storage, { path, capacity, allocated }: CreateJob): JobResult {
  storage.createSegment(path, capacity, allocated).close()
  storage.syncDirectory(dirname(path))
  return { type: 'create' }
}

/** Another thread may be writing to the segment: only its space is touched. */
export function runAllocate(storage: Storage, { path, allocated }: AllocateJob): JobResult {
  storage.resumeSegment(path, allocated).close()
  return { type: 'allocate' }
}
