import { CaskadeError } from '../errors.js'
import type { Storage } from '../io/storage.js'
import type { Job } from '../lsm/worker/job.js'
import { runJob } from '../lsm/worker/job-run.js'
import type { JobCallback, JobRunner } from '../lsm/worker/worker-jobs.js'

/**
 * A runner without a thread: a job is run in place, over any storage, when `later` calls back, or in the first `pump` or
 * `wait` before that. The same calls give the same interleaving every time.
 */
export class InlineJobs implements JobRunner {
  readonly #storage: Storage
  readonly #queue: { job: Job; callback: JobCallback }[] = []
  readonly #later: (run: () => void) => void
  #stopped = false

  constructor(storage: Storage, later: (run: () => void) => void = queueMicrotask) {
    this.#storage = storage
    this.#later = later
  }

  get busy(): boolean {
    return this.#queue.length > 0
  }

  run(job: Job, callback: JobCallback): void {
    this.#queue.push({ job, callback })
    this.#later(() => this.pump())
  }

  pump(): void {
    while (this.#queue.length > 0 && !this.#stopped) this.#runFirst()
  }

  wait(): void {
    this.pump()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    for (const { callback } of this.#queue.splice(0))
      callback(new CaskadeError('CASKADE_ABORTED', 'the store was closed before the job ended'), undefined)
  }

  #runFirst(): void {
    const { job, callback } = this.#queue[0]!
    const answer = this.#answer(job)
    this.#queue.shift()
    callback(answer.error, answer.result)
  }

  /** As a worker answers: an error loses its class, not its code. */
  #answer(job: Job) {
    try {
      return { error: undefined, result: runJob(this.#storage, job) }
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      return {
        error: new CaskadeError(error instanceof CaskadeError ? error.code : 'CASKADE_IO', message),
        result: undefined,
      }
    }
  }
}
