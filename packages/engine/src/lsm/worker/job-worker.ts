import os from 'node:os'
import { type MessagePort, workerData } from 'node:worker_threads'
import { CaskadeError } from '../../errors.js'
import { openNodeStorage } from '../../io/node-storage.js'
import type { Job } from './job.js'
import { runJob } from './job-run.js'
import type { JobAnswer, WorkerStart } from './worker-jobs.js'

/** A tenth of the weight of a thread at 0. */
const niceness = 10

// The body of a background thread: runs one job after the other.
const { port, done, stopping, mmap } = workerData as WorkerStart & { port: MessagePort }
const storage = openNodeStorage({ mmap })

// Reads and writes go first where cores are scarce; writers that get too far ahead are slowed, which gives this thread its turn.
// Only Linux has priorities by thread: elsewhere this would be the whole process's.
if (process.platform === 'linux') os.setPriority(niceness)

port.on('message', (job: Job) => {
  port.postMessage(answer(job))
  // After the message: whoever waits for the count finds the answer in its port.
  Atomics.add(done, 0, 1)
  Atomics.notify(done, 0)
})

function answer(job: Job): JobAnswer {
  try {
    if (Atomics.load(stopping, 0) !== 0) throw new CaskadeError('CASKADE_ABORTED', 'the store is closing')
    return { result: runJob(storage, job, stopping) }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { error: { message, code: error instanceof CaskadeError ? error.code : 'CASKADE_IO' } }
  }
}
