import { CaskadeError } from '../errors.js'
import type { Storage } from '../io/storage.js'
import { successor } from '../scan-range.js'
import type { StoreEvent } from '../store.js'
import { chooseForgotten } from './changes/retention-policy.js'
import {
  type CompactionChoice,
  chooseCompaction,
  chooseCovered,
  chooseRange,
  type PolicyOptions,
} from './compaction/compaction-policy.js'
import { overlap, spanOf, union } from './compaction/table-span.js'
import { segmentPath, tablePath } from './file-names.js'
import type { HeldSequences } from './held-sequences.js'
import type { RunningCompaction } from './ingest/ingest-policy.js'
import type { TableMeta } from './manifest/manifest-state.js'
import type { Memtable } from './memtable/memtable.js'
import type { TableOptions } from './table/table-builder.js'
import type { PreparedChange, Tree, TreeChange } from './tree.js'
import type { Job, OutputFile, WrittenTable } from './worker/job.js'
import type { JobRunner } from './worker/worker-jobs.js'
import type { WriteLog } from './write-log.js'

export interface BackgroundOptions {
  directory: string
  storage: Storage
  tables: TableOptions
  policy: PolicyOptions
  /** Of flushed segments that are kept for `changes`. */
  changesBytes: number
  /** Size at which compaction begins a new table. */
  tableBytes: number
  clock: () => number
  /** Pause before background work is tried again on a full disk. */
  retryMs: number
  /** What a compaction that meets damage does to the store, see `OpenOptions`. */
  damagedTables: 'stop' | 'set-aside'
  onEvent: (event: StoreEvent) => void
  /** Background work failed for good: the store must stop taking writes. */
  onFailure: (error: unknown) => void
  /** Nothing is flushed or compacted: the store is open for reading. */
  readOnly: CaskadeError | undefined
}

/** Tables of so many bytes, one at least, are opened at once when a compaction ends: one of 32 MiB takes 5 ms if its filter and index have to come from the disk. */
const openedBytesPerStep = 16 << 20

/** What a compaction wrote, while it is opened step by step. */
interface Entering {
  step: () => void
  abandon: () => void
}

/** Decides when to flush and compact, has workers do it, and enters the results into the tree. */
export class Background {
  readonly #log: WriteLog
  readonly #held: HeldSequences
  readonly #tree: Tree
  readonly #flusher: JobRunner
  readonly #compactor: JobRunner
  readonly #options: BackgroundOptions
  #retry: NodeJS.Timeout | undefined
  /** Why nothing is started before `#retry`. */
  #diskFull: CaskadeError | undefined
  /** Why nothing is started any more. */
  #failure: unknown
  #running: RunningCompaction | undefined
  #entering: Entering | undefined
  #waiting: (() => void)[] = []
  /** Inputs of compactions that met damage: they are left alone until another range has been deleted. */
  readonly #aside = new Set<number>()
  #asideSince = 0
  readonly counters = { flushes: 0, compactions: 0, moves: 0, bytesFlushed: 0, bytesCompacted: 0 }

  constructor(
    log: WriteLog,
    tree: Tree,
    held: HeldSequences,
    flusher: JobRunner,
    compactor: JobRunner,
    options: BackgroundOptions,
  ) {
    this.#log = log
    this.#held = held
    this.#tree = tree
    this.#flusher = flusher
    this.#compactor = compactor
    this.#options = options
    this.#failure = options.readOnly
  }

  /** Starts whatever is due. Call after anything that may have made something due. */
  schedule(): void {
    if (this.#failure !== undefined || this.#retry !== undefined) return
    const oldest = this.#log.immutables[0]
    if (oldest !== undefined && !this.#flusher.busy) this.#flush(oldest)
    if (!this.#compacting) this.#dropCovered()
    if (!this.#compacting) this.#removePile()
    if (this.#aside.size > 0 && this.#tree.version.ranges.latest > this.#asideSince) this.#aside.clear()
    while (!this.#compacting && this.#retry === undefined && this.#failure === undefined) {
      const levels = this.#tree.version.levels.map((tables) => tables.map(({ meta }) => meta))
      const choice = chooseCompaction(levels, this.#aside, this.#options.policy, this.#held.oldest)
      if (choice === undefined) break
      this.#compact(choice)
    }
  }

  get #compacting(): boolean {
    return this.#compactor.busy || this.#entering !== undefined
  }

  /** Space that a deleted range frees comes back without reading it. */
  #dropCovered(): void {
    const { version } = this.#tree
    if (version.ranges.isEmpty) return
    const levels = version.levels.map((tables) => tables.map(({ meta }) => meta))
    const dropTables = chooseCovered(levels, version.ranges, this.#held.sequences)
    if (dropTables.length === 0) return
    try {
      this.#tree.apply({ dropTables })
    } catch (error) {
      this.#onError(error)
    }
  }

  #removePile(): void {
    const job = this.#tree.beginPile()
    if (job === undefined) return
    this.#compactor.run(job, (error) => {
      this.#tree.endPile(error)
      this.#changed()
    })
  }

  /** Handles what workers have answered, without the event loop. */
  pump(): void {
    this.#flusher.pump()
    this.#pumpCompactor()
  }

  /** Whoever never comes back to the event loop makes the steps. */
  #pumpCompactor(): void {
    if (this.#entering === undefined) this.#compactor.pump()
    else this.#entering.step()
  }

  /** Blocks the thread until the flusher answers, or the time is over. */
  wait(timeoutMs: number): void {
    this.#pumpCompactor()
    this.#flusher.wait(timeoutMs)
  }

  /** Resolves when every memtable that is sealed now is in a table; rejects when the store fails first, or the disk is full. */
  async flushed(): Promise<void> {
    const sealed = this.#log.immutables
    while (sealed.some((memtable) => this.#log.immutables.includes(memtable))) {
      this.schedule()
      await this.#nextChange()
      if (this.#failure !== undefined) throw this.#failure
      if (this.#retry !== undefined) throw this.#diskFull
    }
  }

  /** As `flushed`, but blocks the thread. */
  flushNow(): void {
    while (this.#log.immutables.length > 0) {
      this.schedule()
      if (this.#failure !== undefined) throw this.#failure
      if (this.#retry !== undefined) throw this.#diskFull
      this.#flusher.wait(1000)
    }
  }

  /** The compaction whose output is yet to come. */
  get runningCompaction(): RunningCompaction | undefined {
    return this.#running
  }

  async compactRange(
    gte: Uint8Array | undefined,
    lt: Uint8Array | undefined,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    await this.flushed()
    while (this.#compacting) await this.#nextChange()
    if (signal?.aborted) return
    const range = { lower: gte ?? new Uint8Array(0), upper: lt, closed: false }
    const levels = this.#tree.version.levels.map((tables) => tables.map(({ meta }) => meta))
    const choice = chooseRange(levels, (table) => overlap(spanOf(table), range))
    if (choice === undefined) return
    const aborted = new Int32Array(new SharedArrayBuffer(4))
    const onAbort = () => Atomics.store(aborted, 0, 1)
    signal?.addEventListener('abort', onAbort)
    await new Promise<void>((resolve, reject) => {
      this.#compact(choice, aborted, (error) => (error === undefined ? resolve() : reject(error)))
    }).finally(() => signal?.removeEventListener('abort', onAbort))
  }

  async stop(): Promise<void> {
    this.#failure ??= new CaskadeError('CASKADE_CLOSED', 'the store was closed before its background work ended')
    clearTimeout(this.#retry)
    this.#entering?.abandon()
    await Promise.all([this.#flusher.stop(), this.#compactor.stop()])
    this.#changed()
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #changed(): void {
    this.schedule()
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #outputFile(): OutputFile {
    const number = this.#tree.allocateFile()
    return { number, path: tablePath(this.#options.directory, number) }
  }

  #flush(memtable: Memtable): void {
    const { directory, tables } = this.#options
    const { smallestSequence, largestSequence } = memtable
    const job: Job = {
      type: 'flush',
      segment: segmentPath(directory, memtable.fileNumber),
      segmentNumber: memtable.fileNumber,
      end: memtable.end,
      slots: memtable.slots,
      ranges: memtable.ranges.fragments,
      // Moments that see all of it, or nothing of it, need nothing but the newest.
      held: this.#held.sequences.filter((held) => held >= smallestSequence && held < largestSequence),
      output: this.#outputFile(),
      // Read often and rewritten soon: compression would cost more than it saves.
      tables: { ...tables, compression: 'none' },
      keep: this.#options.changesBytes > 0,
    }
    this.#shed(memtable)
    this.#flusher.run(job, (error, result) => {
      const written = result?.type === 'flush' ? result.written : []
      try {
        // `clear` may have dropped the memtable meanwhile: then its table is not wanted, nor is it news if there is none.
        if (!this.#log.immutables.includes(memtable)) this.#discard(written)
        else if (error !== undefined) throw error
        else {
          this.#tree.apply({
            sequence: largestSequence,
            addTables: written.map((table) => ({ ...table, level: 0 })),
            dropSegments: [memtable.fileNumber],
            ...this.#keep(memtable),
          })
          this.#log.drop([memtable])
          memtable.release()
          this.counters.flushes++
          for (const { fileBytes } of written) this.counters.bytesFlushed += fileBytes
        }
      } catch (failure) {
        this.#onError(failure)
      }
      this.#changed()
    })
  }

  /** While it is flushed: to unmap it in one go would stop writers. */
  #shed(memtable: Memtable): void {
    setImmediate(() => {
      if (this.#log.immutables.includes(memtable) && memtable.file.shed(memtable.end)) this.#shed(memtable)
    }).unref()
  }

  /** What becomes of a flushed segment, and of those kept before it. */
  #keep({ fileNumber: number, salt, end, file, smallestSequence, largestSequence }: Memtable): TreeChange {
    const { changesBytes } = this.#options
    const kept = [...this.#tree.keptSegments]
    // One of an earlier process was opened for reading: nobody asks how much of it is allocated.
    const bytes = Math.max(file.allocated, end)
    const segment = { number, salt, end, bytes, smallestSequence, largestSequence }
    const dropKept = new Set(chooseForgotten([...kept, segment], changesBytes))
    if (dropKept.delete(number)) return dropKept.size === 0 ? {} : { dropKept: [...dropKept] }
    return { addKept: [segment], dropKept: [...dropKept] }
  }

  #compact(choice: CompactionChoice, aborted?: Int32Array, done?: (error: unknown) => void): void {
    const { directory, tables, tableBytes, clock } = this.#options
    const { outputLevel, bottom } = choice
    const wanted = new Set(choice.inputs)
    const inputs = [...this.#tree.version.tables()].map(({ meta }) => meta).filter(({ number }) => wanted.has(number))
    if (choice.move) {
      try {
        this.#tree.apply({
          dropTables: choice.inputs,
          addTables: inputs.map((meta) => ({ ...meta, level: outputLevel })),
        })
        this.counters.moves++
      } catch (error) {
        this.#onError(error)
      }
      return
    }
    const span = inputs.map(spanOf).reduce(union)
    this.#running = { span, outputLevel }
    const bytes = inputs.reduce((sum, { fileBytes }) => sum + fileBytes, 0)
    const outputs = Array.from({ length: Math.ceil(bytes / tableBytes) + 2 }, () => this.#outputFile())
    const job: Job = {
      type: 'compact',
      inputs: inputs.map(({ number, sequenceShift = 0 }) => ({
        number,
        path: tablePath(directory, number),
        sequenceShift,
      })),
      outputs,
      tableBytes,
      bottom,
      held: this.#held.sequences,
      deleted: this.#tree.version.ranges.within(span.lower, span.upper && successor(span.upper)).fragments,
      now: clock(),
      tables,
      ...(aborted && { aborted }),
    }
    const end = (failure: unknown) => {
      this.#running = undefined
      this.#changed()
      done?.(failure)
    }
    this.#compactor.run(job, (error, result) => {
      if (error !== undefined && aborted?.[0] === 1) return end(error)
      if (error?.code === 'CASKADE_CORRUPTION' && this.#options.damagedTables === 'set-aside') {
        this.#setAside(choice, error)
        return end(error)
      }
      const wanted = () => {
        const live = new Set([...this.#tree.version.tables()].map(({ meta }) => meta.number))
        return choice.inputs.every((number) => live.has(number))
      }
      const written = result?.type === 'compact' ? result.written : []
      if (error !== undefined) {
        if (!wanted()) return end(undefined)
        this.#onError(error)
        return end(error)
      }
      this.#enterInSteps(choice, written, wanted, end)
    })
  }

  /** Until all of `written` is open, the inputs stay what is read, and no other compaction begins. */
  #enterInSteps(
    { inputs, outputLevel }: CompactionChoice,
    written: readonly WrittenTable[],
    wanted: () => boolean,
    end: (failure: unknown) => void,
  ): void {
    let prepared: PreparedChange | undefined
    const over = (failure?: unknown) => {
      this.#entering = undefined
      if (failure !== undefined) this.#onError(failure)
      end(failure)
    }
    const entering: Entering = {
      step: () => {
        try {
          if (wanted()) {
            prepared ??= this.#tree.prepare({
              dropTables: [...inputs],
              addTables: written.map((table): TableMeta => ({ ...table, level: outputLevel })),
            })
            if (!this.#tree.openTables(prepared, openedBytesPerStep)) return
            this.#tree.enter(prepared)
            this.counters.compactions++
            for (const { fileBytes } of written) this.counters.bytesCompacted += fileBytes
          } else {
            if (prepared !== undefined) this.#tree.abandon(prepared)
            this.#discard(written)
          }
        } catch (failure) {
          return over(failure)
        }
        over()
      },
      abandon: () => {
        if (prepared !== undefined) this.#tree.abandon(prepared)
        over(this.#failure)
      },
    }
    this.#entering = entering
    const run = () => {
      if (this.#entering !== entering) return
      entering.step()
      if (this.#entering === entering) setImmediate(run)
    }
    run()
  }

  #setAside({ inputs }: CompactionChoice, error: CaskadeError): void {
    for (const number of inputs) this.#aside.add(number)
    this.#asideSince = this.#tree.version.ranges.latest
    this.#options.onEvent({ level: 'error', name: 'tables-set-aside', details: { reason: error.message } })
  }

  #discard(written: readonly WrittenTable[]): void {
    for (const { number } of written) this.#options.storage.remove(tablePath(this.#options.directory, number))
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
      this.schedule()
    }, this.#options.retryMs)
  }
}
