import { CaskadeError } from '../errors.js'
import type { Storage } from '../io/storage.js'
import type { Job, JobResult } from '../lsm/worker/job.js'
import type { JobRunner } from '../lsm/worker/worker-jobs.js'
import type { StoreEvent } from '../store.js'
import type { ActiveFile } from './active-file.js'
import { DataFile, type ReadWindow } from './data-file.js'
import type { DataLog } from './data-log.js'
import { dataPath, hintPath } from './file-names.js'
import type { FileTable } from './file-table.js'
import type { MergeJob, MergeResult } from './job.js'
import type { Keydir } from './keydir/keydir.js'
import type { LiveFiles } from './live-files.js'
import { Merge } from './merge.js'
import { outputsAtMost } from './merge-outputs.js'
import { chooseMerge, type MergeCandidate, type MergePolicyOptions, upTo } from './merge-policy.js'

export interface BackgroundOptions {
  directory: string
  storage: Storage
  window: ReadWindow
  secret: readonly [number, number]
  policy: MergePolicyOptions
  dataFileBytes: number
  /** So many bytes of the newest files are left to `changes`. */
  changesBytes: number
  clock: () => number
  salt: () => number
  /** Pause before background work is tried again on a full disk. */
  retryMs: number
  /** Why nothing may be changed, from the beginning. */
  readOnly: CaskadeError | undefined
  /** When the next step of a merge is taken, if no write comes first. */
  later: (run: () => void) => void
  onEvent: (event: StoreEvent) => void
  /** Background work failed for good: the store must stop taking writes. */
  onFailure: (error: unknown) => void
}

/** Settles sealed files and merges settled ones: decides when, has workers do it, and enters the results. */
export class Background {
  readonly #log: DataLog
  readonly #keydir: Keydir
  readonly #files: FileTable
  readonly #live: LiveFiles
  readonly #settler: JobRunner
  readonly #merger: JobRunner
  readonly #options: BackgroundOptions
  #merge: Merge | undefined
  #stepPending = false
  /** Settled files without a sound hint. */
  #unhinted: DataFile[]
  #retry: NodeJS.Timeout | undefined
  /** Why nothing is started before `#retry`. */
  #diskFull: CaskadeError | undefined
  /** Why nothing is started any more. */
  #failure: unknown
  #waiting: (() => void)[] = []
  /** Whoever compacts everything chooses by hand. */
  #manual = 0
  readonly counters = { settled: 0, merges: 0, bytesMerged: 0, tombstonesDropped: 0 }

  constructor(
    parts: { log: DataLog; keydir: Keydir; files: FileTable; live: LiveFiles },
    runners: { settler: JobRunner; merger: JobRunner },
    unhinted: DataFile[],
    options: BackgroundOptions,
  ) {
    this.#log = parts.log
    this.#keydir = parts.keydir
    this.#files = parts.files
    this.#live = parts.live
    this.#settler = runners.settler
    this.#merger = runners.merger
    this.#unhinted = unhinted
    this.#options = options
    this.#failure = options.readOnly
  }

  /** Starts whatever is due. Call after anything that may have made something due. */
  schedule(): void {
    if (this.#failure !== undefined || this.#retry !== undefined) return
    this.#settleNext()
    if (this.#merge !== undefined || this.#manual > 0) return
    const candidates = this.#candidates()
    const chosen = chooseMerge(candidates, this.#options.policy)
    if (chosen.length > 0) this.#begin(chosen, () => {})
  }

  /** Handles what workers have answered, and takes a step of the merge: without the event loop. Not inside a batch. */
  pump(): void {
    this.#settler.pump()
    this.#merger.pump()
    if (this.#merge?.hasStep === true) this.#merge.step()
  }

  /** Blocks the thread until the merger answers, or the time is over. */
  wait(timeoutMs: number): void {
    if (this.#merge?.hasStep === false) this.#merger.wait(timeoutMs)
    this.pump()
  }

  /** Resolves when every file that is sealed now is settled; rejects when the store fails first, or the disk is full. */
  async flushed(): Promise<void> {
    const sealed = this.#log.sealed
    while (sealed.some((active) => this.#log.sealed.includes(active))) await this.#change()
  }

  /** Merges everything, some files at a time, oldest first. */
  async compactAll(signal?: AbortSignal): Promise<void> {
    this.#manual++
    try {
      while (this.#merge !== undefined) await this.#change()
      let left = new Set([...this.#settled()].map(({ number }) => number))
      while (left.size > 0) {
        while (this.#merge !== undefined) await this.#change()
        signal?.throwIfAborted()
        const candidates = this.#candidates().filter(({ number }) => left.has(number))
        const chosen = upTo(candidates, this.#options.policy.copyBytesMax)
        left = new Set(candidates.map(({ number }) => number).filter((number) => !chosen.includes(number)))
        if (chosen.length === 0) return
        await new Promise<void>((resolve, reject) => {
          this.#begin(chosen, (error) => (error === undefined ? resolve() : reject(error)))
        })
        if (this.#failure !== undefined) throw this.#failure
      }
    } finally {
      this.#manual--
    }
  }

  /** The files are gone, and what is done with them. */
  cleared(): void {
    this.#unhinted = []
    this.#merge?.abandon()
  }

  /** Runs a job on the merge thread. */
  run(job: Job): Promise<JobResult> {
    return new Promise((resolve, reject) => {
      this.#merger.run(job, (error, result) => {
        if (result === undefined) reject(error)
        else resolve(result)
        this.#changed()
      })
    })
  }

  async stop(): Promise<void> {
    this.#failure ??= new CaskadeError('CASKADE_CLOSED', 'the store was closed before its background work ended')
    clearTimeout(this.#retry)
    await Promise.all([this.#settler.stop(), this.#merger.stop()])
    // In memory only: so that the inputs are let go of.
    if (this.#merge?.hasStep === true) this.#merge.abandon()
    this.#changed()
  }

  /** Why the disk would not be, or is, behind: dead bytes against live ones. */
  get debt(): { bytes: number; live: number } {
    let bytes = 0
    let live = 0
    for (const file of this.#settled()) {
      bytes += file.summary.bytes
      live += file.liveBytes + file.pinnedBytes
    }
    return { bytes, live }
  }

  async #change(): Promise<void> {
    this.schedule()
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
    if (this.#failure !== undefined) throw this.#failure
    if (this.#retry !== undefined) throw this.#diskFull
  }

  #changed(): void {
    this.schedule()
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  *#settled(): IterableIterator<DataFile> {
    const { segments } = this.#live.manifest.state
    for (const file of this.#files) if (file.settled && segments.has(file.number)) yield file
  }

  /** Left as they are for `changes`. */
  keptFiles(): DataFile[] {
    let bytes = 0
    const logs = [...this.#settled()].filter(({ merged }) => !merged).sort((a, b) => b.number - a.number)
    const firstFree = logs.findIndex(({ end }) => {
      bytes += end
      return bytes > this.#options.changesBytes
    })
    return firstFree < 0 ? logs : logs.slice(0, firstFree)
  }

  /** Oldest first. */
  #candidates(): MergeCandidate[] {
    const now = this.#options.clock()
    const present = this.#live.manifest.state.segments
    const kept = new Set(this.keptFiles())
    return [...this.#settled()]
      .filter((file) => !kept.has(file))
      .sort((a, b) => a.summary.smallestSequence - b.summary.smallestSequence)
      .map(({ number, summary, liveBytes, pinnedBytes, pinnedBy }) => {
        const pinned = pinnedBy.some((other) => present.has(other)) ? pinnedBytes : 0
        const dead = Math.max(summary.bytes - liveBytes - pinned, 0)
        const { expiringBytes, expiresFrom, expiresBy } = summary
        // As if they expired evenly between the first and the last.
        const part = (now - expiresFrom) / Math.max(expiresBy - expiresFrom, 1)
        const expired = Math.min(Math.max(part, 0), 1) * Math.min(expiringBytes, liveBytes)
        const deadBytes = Math.min(dead + expired, summary.bytes)
        return { number, bytes: summary.bytes, deadBytes, largestSequence: summary.largestSequence }
      })
  }

  // Settling

  #settleNext(): void {
    if (this.#settler.busy) return
    const oldest = this.#log.sealed[0]
    if (oldest !== undefined) this.#settle(oldest.file, oldest)
    else {
      const file = this.#unhinted.shift()
      if (file !== undefined) this.#settle(file, undefined)
    }
  }

  #settle(file: DataFile, active: ActiveFile | undefined): void {
    const { directory, secret, storage } = this.#options
    const { number, salt, end, path } = file
    const hint = hintPath(directory, number)
    const job: Job = { type: 'settle', data: { path, number, salt, end }, hint, secret }
    this.#settler.run(job, (error) => {
      const isWanted =
        active === undefined ? this.#live.manifest.state.segments.has(number) : this.#log.sealed.includes(active)
      this.#attempt(() => {
        if (!isWanted) {
          if (error !== undefined) this.#failedUnwanted(error)
          storage.remove(hint)
        } else if (error !== undefined) throw error
        else if (active !== undefined) {
          const source = storage.open(path)
          try {
            this.#live.apply({ addSegments: [{ number, salt, end }] })
          } catch (failure) {
            source.close()
            throw failure
          }
          file.settle(source)
          file.settled = true
          this.#closeRetired(file)
          this.#log.drop([active])
          this.counters.settled++
        }
      })
      if (error !== undefined && active === undefined && isWanted && this.#failure === undefined)
        this.#unhinted.push(file)
      this.#changed()
    })
  }

  /** In turns of its own: unmapping takes the kernel some milliseconds, as opening just did. */
  #closeRetired(file: DataFile): void {
    this.#options.later(() => {
      if (file.shedRetired()) this.#closeRetired(file)
      else file.closeRetired()
    })
  }

  // Merging

  #begin(numbers: readonly number[], done: (error: unknown) => void): void {
    const chosen = new Set(numbers)
    const inputs = [...this.#settled()].filter(({ number }) => chosen.has(number))
    let stopHolding = () => {}
    const host = {
      prepare: () => this.#prepare(inputs),
      enter: (result: MergeResult) => {
        // An input that is unmapped before it is removed: else its pages are given back in this thread, some 10 ms a file.
        stopHolding = this.#live.hold()
        try {
          return this.#enter(result, inputs)
        } catch (error) {
          stopHolding()
          throw error
        }
      },
      release: (input: DataFile) => {
        if (input.shed()) return false
        this.#files.release(input)
        return true
      },
      done: () => stopHolding(),
      discard: (outputs: readonly { path: string; hint: string }[]) => {
        if (this.#failure !== undefined) return
        for (const { path, hint } of outputs) {
          this.#attempt(() => {
            this.#options.storage.remove(path)
            this.#options.storage.remove(hint)
          })
        }
      },
      failedUnwanted: (error: CaskadeError) => this.#failedUnwanted(error),
    }
    this.#merge = new Merge(inputs, this.#keydir, this.#merger, host, (error) => {
      this.#merge = undefined
      if (error !== undefined) this.#onError(error)
      done(error)
      this.#changed()
    })
    this.#stepLater()
  }

  #stepLater(): void {
    if (this.#stepPending) return
    this.#stepPending = true
    this.#options.later(() => {
      this.#stepPending = false
      if (this.#merge === undefined) return
      if (this.#failure !== undefined) {
        // Whoever waits for it is told; in memory only.
        if (this.#merge.hasStep) this.#merge.abandon()
        return
      }
      if (!this.#log.inAtomic && this.#merge.hasStep) this.#merge.step()
      if (this.#merge?.hasStep === true) this.#stepLater()
    })
  }

  #prepare(inputs: readonly DataFile[]): Omit<MergeJob, 'type' | 'inputs'> {
    const { directory, dataFileBytes, clock, secret, salt } = this.#options
    const bytes = inputs.reduce((sum, { summary }) => sum + summary.bytes, 0)
    const merged = new Set(inputs)
    const others = [...this.#settled()].filter((file) => !merged.has(file))
    return {
      others: others.map(({ number, salt, end, path, summary }) => ({
        data: { number, salt, end, path },
        hint: hintPath(directory, number),
        smallestSequence: summary.smallestSequence,
      })),
      outputs: Array.from({ length: outputsAtMost(bytes, dataFileBytes) }, () => {
        const number = this.#live.manifest.allocateFile()
        return { number, salt: salt(), path: dataPath(directory, number, true), hint: hintPath(directory, number) }
      }),
      outputBytes: dataFileBytes,
      secret,
      now: clock(),
      logs: [...this.#log.sealed, this.#log.active].map(({ file }) => file.path),
    }
  }

  #enter({ written, tombstonesDropped }: MergeResult, inputs: readonly DataFile[]): DataFile[] {
    const { storage, directory, window } = this.#options
    const opened: DataFile[] = []
    try {
      for (const { number, salt, end, summary, pinnedBytes, pinnedBy } of written) {
        const index = this.#files.reserve()
        let file: DataFile
        try {
          const source = storage.open(dataPath(directory, number, true))
          file = new DataFile({ number, index, merged: true, salt }, source, window, end)
          // The merge walked its frames.
          file.trust()
        } catch (error) {
          this.#files.free(index)
          throw error
        }
        Object.assign(file, { summary, pinnedBytes, pinnedBy, settled: true })
        this.#files.enter(file)
        opened.push(file)
      }
      this.#live.apply(
        {
          // What they held may all be gone, their numbers must not be given again.
          sequence: Math.max(...inputs.map(({ summary }) => summary.largestSequence)),
          dropSegments: inputs.map(({ number }) => number),
          addSegments: written.map(({ number, salt, end }) => ({ number, salt, end, merged: true })),
        },
        inputs.flatMap(({ path, number }) => [path, hintPath(directory, number)]),
      )
    } catch (error) {
      for (const file of opened) this.#files.release(file)
      throw error
    }
    this.counters.merges++
    this.counters.tombstonesDropped += tombstonesDropped
    for (const { end } of written) this.counters.bytesMerged += end
    this.#stepLater()
    return opened
  }

  /** Perhaps only because its inputs are gone; but nobody else would tell of a disk that fails. */
  #failedUnwanted({ message }: CaskadeError): void {
    if (this.#failure !== undefined) return
    this.#options.onEvent({ level: 'warn', name: 'cleared-work-failed', details: { message } })
  }

  #attempt(action: () => void): void {
    try {
      action()
    } catch (error) {
      this.#onError(error)
    }
  }

  #onError(error: unknown): void {
    if (this.#failure !== undefined) return
    if (!(error instanceof CaskadeError && error.code === 'CASKADE_DISK_FULL')) {
      this.#failure = error
      this.#options.onFailure(error)
      return
    }
    this.#options.onEvent({ level: 'warn', name: 'disk-full', details: { message: error.message } })
    this.#diskFull = error
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined
      this.#changed()
    }, this.#options.retryMs)
  }
}
