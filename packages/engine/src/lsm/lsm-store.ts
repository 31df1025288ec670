import { resolve } from 'node:path'
import {
  checkBatchType,
  checkExpiresAt,
  checkKey,
  checkKeyLength,
  checkRange,
  checkTag,
  checkValue,
  checkValueLength,
  checkWrittenAt,
} from '../arguments.js'
import { compareBytes } from '../bytes.js'
import { CaskadeError } from '../errors.js'
import type { Storage, StorageLock } from '../io/storage.js'
import { hashKey } from '../key-hash.js'
import { abortable, checkedSignal, LongOperations } from '../long-operations.js'
import { keysWithin, scanRange } from '../scan-range.js'
import type {
  AbortOptions,
  BatchOperation,
  BorrowedRecord,
  Changes,
  ChangesOptions,
  Durability,
  Entry,
  IngestRecord,
  KeyRange,
  ReadOptions,
  Scan,
  ScanOptions,
  Snapshot,
  Store,
  StoreCapabilities,
  StoreEvent,
  StoreStats,
  VerifyReport,
  WriteOptions,
} from '../store.js'
import { Background } from './background.js'
import type { LogChanges } from './changes/log-changes.js'
import { lsmChanges } from './changes/lsm-changes.js'
import { writeCheckpoint } from './checkpoint-run.js'
import { defaultPolicy, type PolicyOptions } from './compaction/compaction-policy.js'
import { lockPath, segmentPath, tablePath } from './file-names.js'
import { GroupSync } from './group-sync.js'
import { HeldSequences } from './held-sequences.js'
import { buildTables } from './ingest/build-tables.js'
import { ingestLevel } from './ingest/ingest-policy.js'
import { LsmReads } from './lsm-reads.js'
import { lsmStats } from './lsm-stats.js'
import type { ManifestLog } from './manifest/manifest-log.js'
import { blankSegment } from './memtable/blank-segment.js'
import { Memtable } from './memtable/memtable.js'
import { walkFrames } from './memtable/segment-frames.js'
import { kindDelete, kindPut } from './record-cursor.js'
import { recover, recoverReadOnly } from './recovery.js'
import { SegmentSupply } from './segment-supply.js'
import type { TableOptions } from './table/table-builder.js'
import { Tree } from './tree.js'
import type { CopyJob, OutputFile, VerifyJob, WrittenTable } from './worker/job.js'
import { type JobRunner, resultOf } from './worker/worker-jobs.js'
import { WriteLog } from './write-log.js'
import { WriteThrottle } from './write-throttle.js'

export interface LsmOptions {
  durability: Durability
  syncIntervalMs: number
  memtableBytes: number
  changesBytes: number
  cacheBytes: number
  mappedBytes: number
  tables: TableOptions
  tableBytes: number
  policy: PolicyOptions
  clock: () => number
  /** A number from 0 up to 2^32, not guessable from the data. */
  salt: () => number
  retryMs: number
  damagedTables: 'stop' | 'set-aside'
  readOnly: boolean
  onEvent: (event: StoreEvent) => void
}

/** Threads, each for work that must not wait for the others'. `onDemand` is for what a caller asked for. */
export interface LsmJobs {
  flusher: JobRunner
  compactor: JobRunner
  onDemand: JobRunner
}

export const lsmDefaults = {
  durability: 'os',
  syncIntervalMs: 1000,
  memtableBytes: 64 << 20,
  changesBytes: 0,
  cacheBytes: 64 << 20,
  mappedBytes: 1 << 30,
  tables: { blockBytes: 4096, bloomBitsPerKey: 10, compression: 'lz4' },
  tableBytes: 32 << 20,
  policy: defaultPolicy,
  retryMs: 1000,
  damagedTables: 'stop',
  readOnly: false,
} as const satisfies Partial<LsmOptions>

/** Writers look after the background once in so many bytes: often, so that the pauses it asks for are short. */
const throttleBytesMax = 256 << 10
const noBytes = new Uint8Array(0)

/** The LSM backend: wiring between the port and the parts. docs/engine/lsm.md is the guide. */
export class LsmStore implements Store {
  readonly capabilities: StoreCapabilities = { ordered: true, snapshots: true }
  readonly directory: string
  readonly #storage: Storage
  readonly #options: LsmOptions
  readonly #lock: StorageLock
  readonly #manifest: ManifestLog
  readonly #tree: Tree
  readonly #log: WriteLog
  readonly #background: Background
  readonly #groupSync: GroupSync
  readonly #syncTimer: NodeJS.Timeout | undefined
  readonly #held = new HeldSequences()
  readonly #reads: LsmReads
  readonly #changes: LogChanges
  readonly #throttle: WriteThrottle
  readonly #supply: SegmentSupply
  readonly #onDemand: JobRunner
  readonly #operations = new LongOperations()
  #readOnly: CaskadeError | undefined
  #closed = false
  #closing: Promise<void> | undefined

  private constructor(storage: Storage, directory: string, options: LsmOptions, lock: StorageLock, jobs: LsmJobs) {
    this.#storage = storage
    this.directory = directory
    this.#options = options
    this.#lock = lock
    this.#onDemand = jobs.onDemand
    const onFailure = (error: unknown) => this.#fail(error)
    const { manifest, memtables, sequence } = options.readOnly
      ? recoverReadOnly(storage, directory, options.onEvent)
      : recover(storage, directory, options.durability !== 'os', options.onEvent)
    if (options.readOnly) this.#readOnly = openedReadOnlyError(directory)
    this.#manifest = manifest
    const host = {
      createMemtable: (capacityMin: number) => this.#createMemtable(capacityMin, this.#log.active.keys),
      discardMemtable: (memtable: Memtable) => this.#discardMemtable(memtable),
      onSealed: () => this.#background.schedule(),
    }
    this.#supply = new SegmentSupply(storage, directory, options.memtableBytes, jobs.onDemand, {
      allocateFile: () => manifest.allocateFile(),
      onFailure,
      onWarning: ({ message }) =>
        options.onEvent({ level: 'warn', name: 'segment-not-prepared', details: { message } }),
    })
    let tree: Tree | undefined
    try {
      tree = new Tree(storage, directory, manifest, options.cacheBytes, options.mappedBytes, this.#held, onFailure)
      this.#tree = tree
      const active = options.readOnly ? Memtable.create(0, blankSegment(directory), 0) : this.#createMemtable(0, 0)
      this.#log = new WriteLog(host, active, memtables, sequence, this.#held)
    } catch (error) {
      for (const memtable of memtables) memtable.release()
      if (tree === undefined) manifest.close()
      else tree.close()
      throw error
    }
    this.#background = new Background(this.#log, this.#tree, this.#held, jobs.flusher, jobs.compactor, {
      ...options,
      directory,
      storage,
      onFailure,
      readOnly: this.#readOnly,
    })
    this.#reads = new LsmReads(this.#log, this.#tree, this.#held, options.clock, () => this.#background.schedule())
    this.#changes = lsmChanges(storage, directory, manifest.state, this.#log)
    this.#throttle = new WriteThrottle(
      Math.min(throttleBytesMax, options.memtableBytes >>> 3),
      () => ({ immutables: this.#log.immutables.length, level0Tables: this.#tree.version.levels[0]!.length }),
      (ms) => this.#background.wait(ms),
    )
    // One that only reads has nothing to make durable.
    const notSynced = options.readOnly ? [] : memtables.filter(({ syncedEnd, end }) => syncedEnd < end)
    const durableSequence = Math.min(sequence, ...notSynced.map(({ smallestSequence }) => smallestSequence - 1))
    this.#groupSync = new GroupSync(() => this.#syncLog(), durableSequence)
    if (options.durability === 'interval' && !options.readOnly) {
      this.#syncTimer = setInterval(() => {
        this.#groupSync.reach(this.#log.sequence)?.catch(() => {})
      }, options.syncIntervalMs)
      this.#syncTimer.unref()
    }
  }

  static async open(storage: Storage, directory: string, options: LsmOptions, jobs: LsmJobs): Promise<LsmStore> {
    if (!options.readOnly) storage.makeDirectory(directory)
    const lock = storage.lock(lockPath(directory), options.readOnly ? 'shared' : 'exclusive')
    try {
      const store = new LsmStore(storage, directory, options, lock, jobs)
      store.#background.schedule()
      return store
    } catch (error) {
      lock.release()
      throw error
    }
  }

  // Reading

  prefetch(source: Uint8Array, bounds: Int32Array, count: number): void {
    if (!this.#closed) this.#log.prefetch(source, bounds, count)
  }

  get #open(): LsmReads {
    if (this.#closed) throw closedError()
    return this.#reads
  }

  borrow(source: Uint8Array, start: number, end: number): BorrowedRecord | undefined {
    return this.#open.borrow(source, start, end)
  }

  getSync(key: Uint8Array, options?: ReadOptions): Uint8Array | undefined {
    return this.#open.getSync(key, options)
  }

  async get(key: Uint8Array, options?: ReadOptions): Promise<Uint8Array | undefined> {
    const later = this.#open.getLater([key], options)
    return later === undefined ? this.getSync(key, options) : (await later)[0]
  }

  async getMany(keys: readonly Uint8Array[], options?: ReadOptions): Promise<(Uint8Array | undefined)[]> {
    const later = this.#open.getLater(keys, options)
    if (later !== undefined) return later
    return keys.map((key) => this.getSync(key, options))
  }

  getEntry(key: Uint8Array, options?: ReadOptions): Entry | undefined {
    return this.#open.getEntry(key, options)
  }

  snapshot(): Snapshot {
    return this.#open.snapshot()
  }

  compareKeys(a: Uint8Array, b: Uint8Array): number {
    return compareBytes(a, b)
  }

  scan(options: ScanOptions & ReadOptions = {}): Scan {
    return this.#open.scan(options)
  }

  changes(since: number, options: ChangesOptions = {}): Changes {
    if (this.#closed) throw closedError()
    return this.#changes.changes(since, options)
  }

  approximateSize(range: KeyRange): number {
    return this.#open.approximateSize(range)
  }

  // Writing

  putFrom(
    keySource: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueSource: Uint8Array,
    valueStart: number,
    valueEnd: number,
    expiresAt: number,
    tag: number,
    writtenAt: number,
  ): number {
    checkKeyLength(keyEnd - keyStart)
    checkValueLength(valueEnd - valueStart)
    if (expiresAt !== 0) checkExpiresAt(expiresAt)
    if (tag !== 0) checkTag(tag)
    if (writtenAt !== 0) checkWrittenAt(writtenAt)
    this.#admitWrite()
    const hash = hashKey(keySource, keyStart, keyEnd)
    return this.#log.put(
      hash,
      keySource,
      keyStart,
      keyEnd,
      valueSource,
      valueStart,
      valueEnd,
      kindPut,
      expiresAt,
      tag,
      writtenAt,
    )
  }

  deleteFrom(source: Uint8Array, start: number, end: number): number {
    checkKeyLength(end - start)
    this.#admitWrite()
    return this.#log.put(hashKey(source, start, end), source, start, end, noBytes, 0, 0, kindDelete, 0, 0, 0)
  }

  #admitWrite(): void {
    if (this.#closed) throw closedError()
    if (this.#readOnly !== undefined) throw this.#readOnly
    if (this.#throttle.isDue(this.#log.bytesWritten)) {
      this.#background.pump()
      this.#onDemand.pump()
      this.#throttle.throttle(this.#log.bytesWritten)
      this.#supply.prepare(this.#log.active.file, this.#log.active.end)
    }
  }

  putSync(key: Uint8Array, value: Uint8Array, options?: WriteOptions): number {
    checkKey(key)
    checkValue(value)
    return this.putFrom(
      key,
      0,
      key.length,
      value,
      0,
      value.length,
      options?.expiresAt ?? 0,
      options?.tag ?? 0,
      options?.writtenAt ?? 0,
    )
  }

  deleteSync(key: Uint8Array): number {
    checkKey(key)
    return this.deleteFrom(key, 0, key.length)
  }

  deleteRangeSync(range: KeyRange): number {
    checkRange(range)
    this.#admitWrite()
    const keys = keysWithin(scanRange(range))
    return keys === undefined ? this.#log.sequence : this.#log.deleteRange(keys.lower, keys.upper)
  }

  async deleteRange(range: KeyRange): Promise<number> {
    return this.#acknowledge(this.deleteRangeSync(range))
  }

  writeSync(batch: readonly BatchOperation[]): number {
    return this.atomic(() => {
      for (const operation of batch) {
        checkBatchType(operation)
        if (operation.type === 'delete') this.deleteSync(operation.key)
        else this.putSync(operation.key, operation.value, operation)
      }
      return this.#log.sequence
    })
  }

  atomic<T>(apply: () => T): T {
    this.#admitWrite()
    return this.#log.atomic(apply)
  }

  async put(key: Uint8Array, value: Uint8Array, options?: WriteOptions): Promise<number> {
    return this.#acknowledge(this.putSync(key, value, options))
  }

  async delete(key: Uint8Array): Promise<number> {
    return this.#acknowledge(this.deleteSync(key))
  }

  async write(batch: readonly BatchOperation[]): Promise<number> {
    return this.#acknowledge(this.writeSync(batch))
  }

  async #acknowledge(sequence: number): Promise<number> {
    await this.durable()
    await this.backpressure()
    return sequence
  }

  async clear(): Promise<void> {
    this.#admitMaintenance('clear')
    // First as a write like any other: of what a crash leaves, of what snapshots see, and among the changes.
    this.deleteRangeSync({})
    this.#log.rotate()
    if (this.#held.sequences.length > 0 || this.#options.changesBytes > 0) {
      await this.flush()
      return
    }
    const memtables = this.#log.immutables
    this.#tree.apply({
      sequence: this.#log.sequence,
      dropTables: [...this.#tree.version.tables()].map(({ meta }) => meta.number),
      dropSegments: memtables.map(({ fileNumber }) => fileNumber),
    })
    this.#log.drop(memtables)
    for (const memtable of memtables) memtable.release()
    await this.#tree.settle()
  }

  // Durability

  durable(): Promise<void> | undefined {
    return this.#options.durability === 'sync' ? this.#reachDisk() : undefined
  }

  async sync(): Promise<void> {
    if (this.#closed) throw closedError()
    await this.#reachDisk()
  }

  #reachDisk(): Promise<void> | undefined {
    if (this.#readOnly !== undefined && this.#groupSync.durableSequence < this.#log.sequence)
      return Promise.reject(uncertainError(this.#readOnly))
    return this.#groupSync.reach(this.#log.sequence)
  }

  /** Oldest segment first: a crash in between loses a suffix, never a hole. */
  async #syncLog(): Promise<number> {
    // Asked for in the middle of an atomic batch: not before the batch is whole.
    if (this.#log.inAtomic) await null
    const sequence = this.#log.sequence
    const memtables = [...this.#log.immutables, this.#log.active].filter(({ syncedEnd, end }) => syncedEnd < end)
    for (const memtable of memtables) memtable.retain()
    try {
      // First what has left the log for tables: its records are as good as lost until the manifest says so on disk.
      await this.#tree.sync()
      for (const memtable of memtables) {
        const { end } = memtable
        await memtable.file.syncLater()
        memtable.markSynced(end)
      }
      return sequence
    } catch (error) {
      this.#fail(error)
      throw uncertainError(error)
    } finally {
      for (const memtable of memtables) memtable.release()
    }
  }

  /** After a failed sync nobody knows what is on disk, and trying again would only hide it (the pages are clean now). */
  #fail(error: unknown): void {
    if (this.#readOnly !== undefined) return
    const message = error instanceof Error ? error.message : String(error)
    if (this.#closed) {
      this.#options.onEvent({ level: 'warn', name: 'close-failed', details: { reason: message } })
      return
    }
    this.#readOnly = new CaskadeError(
      'CASKADE_READ_ONLY',
      `the store takes no more writes because of a failure: ${message}. Mend its cause, then open the store again`,
      { cause: error },
    )
    this.#options.onEvent({ level: 'error', name: 'read-only', details: { reason: message } })
  }

  // Backpressure

  backpressure(): Promise<void> | undefined {
    return this.#throttle.pause()
  }

  /** With `capacityMin` bytes of space allocated. `keysExpected`: about as many as the one before it had. */
  #createMemtable(capacityMin: number, keysExpected: number): Memtable {
    this.#manifest.beginIfDue()
    const { number, file } = this.#supply.take(capacityMin) ?? this.#supply.create(capacityMin)
    try {
      const salt = this.#options.salt()
      const memtable = Memtable.create(number, file, salt, keysExpected)
      this.#manifest.append({ addSegments: [{ number, salt }] })
      return memtable
    } catch (error) {
      file.close()
      this.#storage.remove(file.path)
      throw error
    }
  }

  /** One that was created and cannot be used. If even that fails, no later segment may be written: it would seem to follow a hole. */
  #discardMemtable(memtable: Memtable): void {
    memtable.release()
    try {
      this.#tree.apply({ dropSegments: [memtable.fileNumber] })
    } catch (error) {
      this.#fail(error)
    }
  }

  // Maintenance

  #admitMaintenance(operation: string): void {
    this.#admitWrite()
    if (this.#log.inAtomic)
      throw new TypeError(`${operation}() cannot be part of an atomic batch: call it before or after`)
  }

  async flush(options?: AbortOptions): Promise<void> {
    checkedSignal(options)?.throwIfAborted()
    this.#admitMaintenance('flush')
    this.#log.rotate()
    await abortable(
      this.#background.flushed().then(() => this.#tree.settle()),
      options,
    )
  }

  async compactRange(options: { gte?: Uint8Array; lt?: Uint8Array } & AbortOptions = {}): Promise<void> {
    await this.flush(options)
    await abortable(this.#background.compactRange(options.gte, options.lt, options.signal), options)
    await this.#tree.settle()
  }

  async ingest(records: Iterable<IngestRecord> | AsyncIterable<IngestRecord>, options?: AbortOptions): Promise<number> {
    this.#admitMaintenance('ingest')
    return this.#operations.run(options, (signal) => this.#ingest(records, signal))
  }

  /** Crash windows: until its one edit is in the manifest, the tables are strays that the next open removes. */
  async #ingest(records: Iterable<IngestRecord> | AsyncIterable<IngestRecord>, signal: AbortSignal): Promise<number> {
    const { tables, tableBytes } = this.#options
    const outputs: OutputFile[] = []
    const build = async (records: Uint8Array) => {
      const number = this.#tree.allocateFile()
      const output = { number, path: tablePath(this.directory, number) }
      outputs.push(output)
      const result = await resultOf(this.#onDemand, { type: 'build', records, output, tables })
      return result.type === 'build' ? result.written : []
    }
    let sequence: number
    try {
      const written = await buildTables(records, tableBytes, build, signal)
      if (written.length === 0) return this.#log.sequence
      await this.#flushBefore(signal)
      sequence = this.#enterIngested(written)
    } catch (error) {
      for (const { path } of outputs) this.#storage.remove(path)
      throw error
    }
    await this.#tree.settle()
    return sequence
  }

  /** Leaves as little in memory, and not synced, as can be had without stopping writers. */
  async #flushBefore(signal: AbortSignal): Promise<void> {
    for (let rounds = 0; rounds < 3 && !this.#log.active.isEmpty; rounds++) {
      this.#log.rotate()
      await this.#background.flushed()
      signal.throwIfAborted()
    }
    await this.#groupSync.reach(this.#log.sequence)
    signal.throwIfAborted()
  }

  /**
   * In one go, for nothing may be written meanwhile. What is newer has to be found first, so no memtable may hold an older record
   * between the ingested ones; and what is older has to be on disk first, for a crash may lose a suffix but never a hole.
   */
  #enterIngested(written: readonly WrittenTable[]): number {
    this.#admitWrite()
    // Tables of one ingest ascend.
    const { smallestKey } = written[0]!
    const { largestKey } = written.at(-1)!
    const inTheWay = (memtable: Memtable) => memtable.holdsAny(smallestKey, largestKey)
    // Whatever it holds: the sequence that is not in the log lies between two segments, where `changes` sees the gap.
    this.#log.rotate()
    if (this.#log.immutables.some(inTheWay)) this.#background.flushNow()
    try {
      // A segment that is known to be on disk must be listed there.
      this.#manifest.sync()
      for (const memtable of [...this.#log.immutables, this.#log.active]) {
        if (memtable.syncedEnd === memtable.end) continue
        memtable.file.sync()
        memtable.markSynced(memtable.end)
      }
    } catch (error) {
      this.#fail(error)
      throw error
    }
    const sequence = this.#log.sequence + 1
    const levels = this.#tree.version.levels.map((tables) => tables.map(({ meta }) => meta))
    const addTables = written.map((table) => ({
      ...table,
      level: ingestLevel(table, levels, this.#background.runningCompaction),
      smallestSequence: sequence,
      largestSequence: sequence,
      sequenceShift: sequence,
    }))
    this.#tree.apply({ addTables })
    this.#log.takeSequence()
    this.#background.schedule()
    return sequence
  }

  async checkpoint(directory: string, options?: AbortOptions): Promise<void> {
    if (this.#closed) throw closedError()
    if (!this.#options.readOnly) this.#admitMaintenance('checkpoint')
    return this.#operations.run(options, (signal) => this.#checkpoint(resolve(directory), signal))
  }

  async #checkpoint(target: string, signal: AbortSignal): Promise<void> {
    if (!this.#options.readOnly) this.#log.rotate()
    const memtables = this.#log.immutables.map((memtable) => memtable.retain())
    const { state } = this.#manifest
    const segments = memtables.map(({ fileNumber: number, salt, end }) => [number, { number, salt, end }] as const)
    const moment = {
      ...state,
      sequence: this.#log.sequence,
      tables: new Map(state.tables),
      segments: new Map(segments),
      kept: new Map(),
    }
    const release = this.#tree.holdFiles()
    const copy = async (job: CopyJob) => void (await resultOf(this.#onDemand, job))
    try {
      const synced = this.#syncFiles(memtables)
      await writeCheckpoint(this.#storage, this.directory, target, moment, synced, copy, signal)
    } finally {
      release()
      for (const memtable of memtables) memtable.release()
    }
  }

  /** Also of memtables that have left the log meanwhile: a checkpoint has them still. */
  async #syncFiles(memtables: readonly Memtable[]): Promise<void> {
    try {
      for (const { file, syncedEnd, end } of memtables) if (syncedEnd < end) await file.syncLater()
    } catch (error) {
      this.#fail(error)
      throw error
    }
  }

  stats(): StoreStats {
    const figures = lsmStats(this.#log, this.#tree, this.#background, this.#throttle, this.#options.policy)
    return { ...figures, readOnlyReason: this.#readOnly?.message }
  }

  async verify(options?: AbortOptions): Promise<VerifyReport> {
    if (this.#closed) throw closedError()
    const signal = checkedSignal(options)
    const report: VerifyReport = { files: 0, bytes: 0, records: 0, errors: [] }
    const { directory } = this
    const tables = Array.from(this.#tree.version.tables(), ({ meta: { number } }) => ({
      number,
      path: tablePath(directory, number),
    }))
    const kept = Array.from(this.#tree.keptSegments, ({ number, salt, end }) => ({
      path: segmentPath(directory, number),
      salt,
      end,
    }))
    const memtables = [...this.#log.immutables, this.#log.active].filter(({ isEmpty }) => !isEmpty)
    for (const { bytes, view, salt, file, end } of memtables) {
      const walk = walkFrames({ bytes, view }, salt, file.path, end, () => report.records++)
      report.files++
      report.bytes += end
      if (walk.end < end)
        report.errors.push({ file: file.path, offset: walk.end, message: 'a record does not match its checksum' })
    }
    const jobs: VerifyJob[] = [
      ...tables.map((table) => ({ type: 'verify' as const, tables: [table], kept: [] })),
      ...kept.map((segment) => ({ type: 'verify' as const, tables: [], kept: [segment] })),
    ]
    const release = this.#tree.holdFiles()
    try {
      for (const job of jobs) {
        signal?.throwIfAborted()
        if (this.#closed) throw closedError()
        const result = await abortable(resultOf(this.#onDemand, job), options)
        if (result.type !== 'verify') throw new TypeError(`a verify job answered ${result.type}`)
        report.files += result.files
        report.bytes += result.bytes
        report.records += result.records
        report.errors.push(...result.errors)
      }
    } finally {
      release()
    }
    return report
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    clearInterval(this.#syncTimer)
    await this.#operations.stop(closedError())
    try {
      // What is in tables needs no replay. If it cannot be flushed now, it is in the log.
      if (this.#readOnly === undefined) await this.flush()
      if (this.#options.durability !== 'os') await this.#groupSync.reach(this.#log.sequence)
    } catch (error) {
      this.#options.onEvent({ level: 'warn', name: 'closed-unflushed', details: { reason: String(error) } })
    }
    this.#closed = true
    await Promise.all([this.#background.stop(), this.#onDemand.stop()])
    this.#supply.close()
    await this.#groupSync.idle()
    this.#reads.close()
    this.#changes.close()
    const { active } = this.#log
    try {
      if (active.isEmpty && this.#readOnly === undefined) this.#tree.apply({ dropSegments: [active.fileNumber] })
      if (!this.#options.readOnly) await this.#tree.settle()
    } finally {
      for (const memtable of [...this.#log.immutables, active]) memtable.release()
      this.#tree.close()
      this.#lock.release()
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

const closedError = () => new CaskadeError('CASKADE_CLOSED', 'this store is closed: open it again')

const openedReadOnlyError = (directory: string) =>
  new CaskadeError('CASKADE_READ_ONLY', `${directory} was opened with readOnly: to write, open it without`)

const uncertainError = (cause: unknown) =>
  new CaskadeError(
    'CASKADE_UNCERTAIN',
    `the write may or may not be on disk: ${cause instanceof Error ? cause.message : String(cause)}`,
    { cause },
  )
