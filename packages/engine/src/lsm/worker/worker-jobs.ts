import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from 'node:worker_threads'
import { CaskadeError, type ErrorCode } from '../../errors.js'
import type { Job, JobResult } from './job.js'

export interface WorkerStart {
  port: MessagePort
  /** Jobs answered; the main thread can wait for it without its event loop. */
  done: Int32Array
  /** Not 0: the store is closing, and no result is wanted. */
  stopping: Int32Array
  mmap: 'auto' | 'off'
}

export interface JobAnswer {
  result?: JobResult
  error?: { message: string; code: ErrorCode }
}

export type JobCallback = (error: CaskadeError | undefined, result: JobResult | undefined) => void

/** Where jobs run: one at a time, answers in order. */
export interface JobRunner {
  readonly busy: boolean
  run(job: Job, callback: JobCallback): void
  /** Handles the answers that are there, without waiting for the event loop. */
  pump(): void
  /** Blocks this thread until an answer comes, or `timeoutMs` pass; then as `pump`. */
  wait(timeoutMs: number): void
  /** Ends the thread; a compaction is given up. Files it was writing are left for the next open to remove. */
  stop(): Promise<void>
}

/** The job's result, for whoever can wait for the event loop. */
export function resultOf(runner: JobRunner, job: Job): Promise<JobResult> {
  return new Promise((resolve, reject) => {
    runner.run(job, (error, result) => (result === undefined ? reject(error) : resolve(result)))
  })
}

/** A thread without a job for so long is ended: its heap goes back to the system. Starting another, and compiling its code again, costs some 200 ms of a core. */
const idleMsMax = 15_000
/** Jobs leave much garbage and keep little: V8's default, three times 16 MiB for each thread, would only be resident longer. */
const youngGenerationMbMax = 6

/** A runner on a worker thread, started by its first job and ended when there has been none for a while. */
export class WorkerJobs implements JobRunner {
  readonly #mmap: 'auto' | 'off'
  readonly #done = new Int32Array(new SharedArrayBuffer(4))
  #stopping = new Int32Array(new SharedArrayBuffer(4))
  readonly #callbacks: JobCallback[] = []
  #worker: Worker | undefined
  #port: MessagePort | undefined
  #answered = 0
  readonly #idleMs: number
  #idle: NodeJS.Timeout | undefined

  constructor(mmap: 'auto' | 'off', idleMs = idleMsMax) {
    this.#mmap = mmap
    this.#idleMs = idleMs
  }

  get busy(): boolean {
    return this.#callbacks.length > 0
  }

  /** Whether there is a thread. */
  get running(): boolean {
    return this.#worker !== undefined
  }

  run(job: Job, callback: JobCallback): void {
    this.#start()
    clearTimeout(this.#idle)
    this.#callbacks.push(callback)
    this.#port!.ref()
    this.#port!.postMessage(job)
  }

  pump(): void {
    if (this.#port === undefined) return
    for (;;) {
      const received = receiveMessageOnPort(this.#port)
      if (received === undefined) return
      this.#answer(received.message)
    }
  }

  wait(timeoutMs: number): void {
    Atomics.wait(this.#done, 0, this.#answered, timeoutMs)
    this.pump()
  }

  async stop(): Promise<void> {
    await this.#end()
    this.#fail('the store was closed before the job ended')
  }

  async #end(): Promise<void> {
    clearTimeout(this.#idle)
    this.#port?.close()
    this.#port = undefined
    const worker = this.#worker
    this.#worker = undefined
    // Not `terminate`: in the middle of loading or calling a native module it ends the process, not the thread. Without its port a
    // thread has nothing to wait for, and exits.
    Atomics.store(this.#stopping, 0, 1)
    this.#stopping = new Int32Array(new SharedArrayBuffer(4))
    if (worker !== undefined) {
      worker.ref()
      await new Promise((resolve) => worker.once('exit', resolve))
    }
  }

  #start(): void {
    if (this.#worker !== undefined) return
    const { port1, port2 } = new MessageChannel()
    const workerData: WorkerStart = { port: port2, done: this.#done, stopping: this.#stopping, mmap: this.#mmap }
    const worker = new Worker(new URL('./job-worker.js', import.meta.url), {
      workerData,
      transferList: [port2],
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: youngGenerationMbMax },
    })
    worker.unref()
    // A job catches its own errors; what arrives here has ended the thread (out of memory, say).
    worker.on('error', (error) => this.#lost(worker, error.message))
    worker.on('exit', () => this.#lost(worker, 'its thread exited'))
    port1.on('message', (answer: JobAnswer) => this.#answer(answer))
    port1.unref()
    this.#worker = worker
    this.#port = port1
  }

  #answer(answer: JobAnswer): void {
    this.#answered++
    const callback = this.#callbacks.shift()
    if (!this.busy) {
      this.#port?.unref()
      this.#idle = setTimeout(() => void this.#end(), this.#idleMs).unref()
    }
    const { error, result } = answer
    callback?.(error && new CaskadeError(error.code, error.message), result)
  }

  #lost(worker: Worker, reason: string): void {
    if (worker !== this.#worker) return
    this.#worker = undefined
    this.#port?.close()
    this.#port = undefined
    this.#answered = Atomics.load(this.#done, 0)
    this.#fail(`background work failed: ${reason}`)
  }

  #fail(reason: string): void {
    for (const callback of this.#callbacks.splice(0)) callback(new CaskadeError('CASKADE_ABORTED', reason), undefined)
  }
}
