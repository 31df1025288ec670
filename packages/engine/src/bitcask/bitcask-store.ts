import { resolve } from 'node:path'
import {
  checkBatchType,
  checkExpiresAt,
  checkKey,
  checkKeyLength,
  checkRange,
  checkScan,
  checkTag,
  checkValue,
  checkValueLength,
  checkWrittenAt,
} from '../arguments.js'
import { keptCopy } from '../copy-bytes.js'
import { CaskadeError } from '../errors.js'
import type { Storage, StorageLock } from '../io/storage.js'
import { hashKey } from '../key-hash.js'
import { slotOfKey, slotOfPrefix } from '../key-slot.js'
import { abortable, checkedSignal, LongOperations } from '../long-operations.js'
import type { LogChanges } from '../lsm/changes/log-changes.js'
import { writeCheckpoint } from '../lsm/checkpoint-run.js'
import { lockPath } from '../lsm/file-names.js'
import { FoundRecord } from '../lsm/found-record.js'
import { GroupSync } from '../lsm/group-sync.js'
import type { KeydirRecord } from '../lsm/manifest/manifest-state.js'
import { blankSegment } from '../lsm/memtable/blank-segment.js'
import { framesStart } from '../lsm/memtable/segment-format.js'
import { walkFrames } from '../lsm/memtable/segment-frames.js'
import { readRecord, recordKeyEquals } from '../lsm/memtable/segment-record.js'
import { kindDelete, kindPut } from '../lsm/record-cursor.js'
import { SegmentSupply } from '../lsm/segment-supply.js'
import type { CopyJob, Job } from '../lsm/worker/job.js'
import type { JobRunner } from '../lsm/worker/worker-jobs.js'
import { OpenSnapshots } from '../open-snapshots.js'
import { keysWithin, scanRange } from '../scan-range.js'
import { sliceIterator } from '../slice-iterator.js'
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
import { ActiveFile } from './active-file.js'
import { Background } from './background.js'
import { bitcaskChanges } from './bitcask-changes.js'
import { ReadWindow } from './data-file.js'
import { DataLog } from './data-log.js'
import { hintPath, keydirPath } from './file-names.js'
import { FileTable } from './file-table.js'
import { Keydir } from './keydir/keydir.js'
import { compareInKeydirOrder, KeydirScan } from './keydir-scan.js'
import { writeKeydirSnapshot } from './keydir-snapshot.js'
import { LiveFiles } from './live-files.js'
import { defaultMergePolicy, type MergePolicyOptions } from './merge-policy.js'
import { Moment } from './moment.js'
import { type Recovered, recover } from './recovery.js'
import { mergeDelayPerMiB } from './throttle-policy.js'

export interface BitcaskOptions {
  durability: Durability
  syncIntervalMs: number
  dataFileBytes: number
  changesBytes: number
  readOnly: boolean
  policy: Partial<MergePolicyOptions>
  /** With fewer keys a close writes no snapshot of the keydir: the hints are read as fast. */
  snapshotKeysMin: number
  clock: () => number
  /** A number from 0 up to 2^32, not guessable from the data. */
  salt: () => number
  retryMs: number
  later: (run: () => void) => void
  onEvent: (event: StoreEvent) => void
}

export const bitcaskDefaults = {
  durability: 'os',
  syncIntervalMs: 1000,
  dataFileBytes: 128 << 20,
  changesBytes: 0,
  readOnly: false,
  policy: {},
  snapshotKeysMin: 100_000,
  retryMs: 1000,
  later: (run: () => void) => {
    setImmediate(run)
  },
} as const satisfies Partial<BitcaskOptions>

/** Threads: one settles sealed files, one merges, checks and copies, one allocates space ahead of the writer. */
export interface BitcaskRunners {
  settler: JobRunner
  merger: JobRunner
  allocator: JobRunner
}

/** What recovery fills. */
interface Contents {
  files: FileTable
  keydir: Keydir
  window: ReadWindow
}

const noBytes = new Uint8Array(0)
/** So many keys at once are looked up in stages: their records, and lines of the keydir, fit in the first cache. */
const stagedKeys = 64
/** Background work gets a turn, and writers are asked to pause, once in this many bytes. */
const throttleBytes = 1 << 16
/** A pause that nobody awaits is taken in the calling thread from this length on. */
const owedPauseMsMax = 4

/** The Bitcask backend: wiring between the port and the parts. docs/engine/bitcask.md is the guide. */
export class BitcaskStore implements Store {
  readonly capabilities: StoreCapabilities = { ordered: false, snapshots: true }
  readonly directory: string
  readonly #storage: Storage
  readonly #options: BitcaskOptions
  readonly #lock: StorageLock
  readonly #window: ReadWindow
  readonly #keydir: Keydir
  readonly #files: FileTable
  readonly #live: LiveFiles
  readonly #log: DataLog
  readonly #background: Background
  readonly #supply: SegmentSupply
  readonly #allocator: JobRunner
  readonly #changes: LogChanges
  readonly #groupSync: GroupSync
  readonly #syncTimer: NodeJS.Timeout | undefined
  readonly #snapshots = new OpenSnapshots<Moment>((moment) => moment.release())
  readonly #stagedSlots = new Uint16Array(stagedKeys)
  readonly #stagedHashes = new Uint32Array(stagedKeys)
  readonly #stagedFiles = new Int16Array(stagedKeys)
  readonly #stagedOffsets = new Uint32Array(stagedKeys)
  readonly #found = new FoundRecord()
  readonly #written = new FoundRecord()
  readonly #borrowed: BorrowedRecord = {
    bytes: noBytes,
    valueStart: 0,
    valueEnd: 0,
    sequence: 0,
    expiresAt: 0,
    tag: 0,
    writtenAt: 0,
  }
  readonly #operations = new LongOperations()
  #readOnly: CaskadeError | undefined
  #closed = false
  #closing: Promise<void> | undefined
  #throttleAt = throttleBytes
  #owedPauseMs = 0
  #pausedMs = 0

  private constructor(
    storage: Storage,
    directory: string,
    options: BitcaskOptions,
    lock: StorageLock,
    { files, keydir, window }: Contents,
    { manifest, unhinted, sequence }: Recovered,
    runners: BitcaskRunners,
  ) {
    this.#storage = storage
    this.directory = directory
    this.#options = options
    this.#lock = lock
    this.#files = files
    this.#keydir = keydir
    this.#window = window
    if (options.readOnly) this.#readOnly = openedReadOnlyError(directory)
    this.#live = new LiveFiles(storage, manifest, (error) => this.#fail(error))
    this.#allocator = runners.allocator
    this.#supply = new SegmentSupply(storage, directory, options.dataFileBytes, runners.allocator, {
      allocateFile: () => manifest.allocateFile(),
      onFailure: (error) => this.#fail(error),
      onWarning: ({ message }) =>
        options.onEvent({ level: 'warn', name: 'segment-not-prepared', details: { message } }),
    })
    const host = {
      createActive: (capacityMin: number) => this.#createActive(capacityMin),
      discardActive: (active: ActiveFile) => this.#discardActive(active),
      onSealed: () => this.#background.schedule(),
    }
    try {
      const active = options.readOnly ? this.#blankActive() : this.#createActive(0)
      this.#log = new DataLog(host, this.#keydir, this.#files, active, sequence)
    } catch (error) {
      for (const file of [...this.#files]) this.#files.release(file)
      manifest.close()
      throw error
    }
    const { dataFileBytes } = options
    const policy = {
      ...defaultMergePolicy,
      // Eight of them go into one: what a merge writes of small files is fewer files, or it would never end.
      smallBytes: (dataFileBytes - framesStart) / 8,
      copyBytesMax: 4 * dataFileBytes,
      ...options.policy,
    }
    const parts = { log: this.#log, keydir: this.#keydir, files: this.#files, live: this.#live }
    this.#background = new Background(parts, runners, unhinted, {
      ...options,
      policy,
      directory,
      storage,
      window: this.#window,
      secret: manifest.state.bitcask!.secret,
      readOnly: this.#readOnly,
      onFailure: (error) => this.#fail(error),
    })
    this.#changes = bitcaskChanges(storage, manifest.state, this.#files, this.#log)
    this.#groupSync = new GroupSync(() => this.#syncLog(), sequence)
    if (options.durability === 'interval' && !options.readOnly) {
      this.#syncTimer = setInterval(() => {
        this.#groupSync.reach(this.#log.sequence)?.catch(() => {})
      }, options.syncIntervalMs)
      this.#syncTimer.unref()
    }
  }

  static async open(
    storage: Storage,
    directory: string,
    options: BitcaskOptions,
    runners: BitcaskRunners,
  ): Promise<BitcaskStore> {
    if (!options.readOnly) storage.makeDirectory(directory)
    const lock = storage.lock(lockPath(directory), options.readOnly ? 'shared' : 'exclusive')
    try {
      const contents = { files: new FileTable(), keydir: new Keydir(), window: new ReadWindow() }
      const recovered = await recover(storage, directory, {
        ...contents,
        secret: () => [options.salt(), options.salt()],
        readOnly: options.readOnly,
        onEvent: options.onEvent,
      })
      const store = new BitcaskStore(storage, directory, options, lock, contents, recovered, runners)
      store.#background.schedule()
      return store
    } catch (error) {
      lock.release()
      throw error
    }
  }

  // Reading

  prefetch(source: Uint8Array, bounds: Int32Array, count: number): void {
    const keydir = this.#keydir
    if (this.#closed) return
    for (let i = 0; i < count; i++) {
      const start = bounds[2 * i]!
      const end = bounds[2 * i + 1]!
      if (keydir.find(slotOfKey(source, start, end), hashKey(source, start, end)))
        this.#files.at(keydir.file).prefetch(keydir.offset)
    }
  }

  borrow(source: Uint8Array, start: number, end: number): BorrowedRecord | undefined {
    if (!this.#find(source, start, end)) return undefined
    return this.#found.lend(this.#borrowed)
  }

  /** Whether there is a live record under the key; it is in `#found` then. */
  #find(source: Uint8Array, start: number, end: number, snapshot?: Snapshot): boolean {
    if (this.#closed) throw closedError()
    checkKeyLength(end - start)
    return this.#findHashed(slotOfKey(source, start, end), hashKey(source, start, end), source, start, end, snapshot)
  }

  /** As `#find`, of a key whose entry may be the one that was found. */
  #findHashed(
    slot: number,
    hash: number,
    source: Uint8Array,
    start: number,
    end: number,
    snapshot: Snapshot | undefined,
  ): boolean {
    const keydir = this.#keydir
    const moment = snapshot === undefined ? 0 : this.#snapshots.momentOf(snapshot).keydirMoment
    if (!keydir.find(slot, hash, moment)) return false
    do {
      if (this.#holds(keydir.file, keydir.offset, source, start, end)) return this.#isVisible()
    } while (keydir.findNext())
    return false
  }

  /** Whether a record is the key's; it is in `#found` then. */
  #holds(index: number, offset: number, source: Uint8Array, start: number, end: number): boolean {
    const file = this.#files.at(index)
    const position = file.load(offset)
    if (!recordKeyEquals(file, position, source, start, end)) return false
    readRecord(file, position, this.#found)
    return true
  }

  #isVisible(): boolean {
    const { expiresAt } = this.#found
    return expiresAt === 0 || expiresAt > this.#options.clock()
  }

  getSync(key: Uint8Array, options?: ReadOptions): Uint8Array | undefined {
    checkKey(key)
    if (!this.#find(key, 0, key.length, options?.snapshot)) return undefined
    return this.#found.ownedValue()
  }

  async get(key: Uint8Array, options?: ReadOptions): Promise<Uint8Array | undefined> {
    return this.getSync(key, options)
  }

  async getMany(keys: readonly Uint8Array[], options?: ReadOptions): Promise<(Uint8Array | undefined)[]> {
    if (this.#closed) throw closedError()
    for (const key of keys) checkKey(key)
    const values = new Array<Uint8Array | undefined>(keys.length)
    for (let from = 0; from < keys.length; from += stagedKeys)
      this.#getStaged(keys, from, Math.min(keys.length - from, stagedKeys), values, options?.snapshot)
    return values
  }

  #getStaged(
    keys: readonly Uint8Array[],
    from: number,
    count: number,
    values: (Uint8Array | undefined)[],
    snapshot: Snapshot | undefined,
  ): void {
    const keydir = this.#keydir
    const slots = this.#stagedSlots
    const hashes = this.#stagedHashes
    const files = this.#stagedFiles
    const offsets = this.#stagedOffsets
    const moment = snapshot === undefined ? 0 : this.#snapshots.momentOf(snapshot).keydirMoment
    for (let i = 0; i < count; i++) {
      const key = keys[from + i]!
      slots[i] = slotOfKey(key, 0, key.length)
      hashes[i] = hashKey(key, 0, key.length)
    }
    for (let i = 0; i < count; i++) {
      const found = keydir.find(slots[i]!, hashes[i]!, moment)
      files[i] = found ? keydir.file : -1
      offsets[i] = found ? keydir.offset : 0
    }
    for (let i = 0; i < count; i++) if (files[i]! >= 0) this.#files.at(files[i]!).prefetch(offsets[i]!)
    for (let i = 0; i < count; i++) {
      if (files[i]! < 0) continue
      const key = keys[from + i]!
      const found = this.#holds(files[i]!, offsets[i]!, key, 0, key.length)
        ? this.#isVisible()
        : this.#findHashed(slots[i]!, hashes[i]!, key, 0, key.length, snapshot)
      if (found) values[from + i] = this.#found.ownedValue()
    }
  }

  getEntry(key: Uint8Array, options?: ReadOptions): Entry | undefined {
    checkKey(key)
    if (!this.#find(key, 0, key.length, options?.snapshot)) return undefined
    return this.#found.ownedEntry(key)
  }

  snapshot(): Snapshot {
    if (this.#closed) throw closedError()
    if (this.#log.inAtomic) throw new TypeError('snapshot() cannot be part of an atomic batch: call it before or after')
    return this.#snapshots.open(this.#log.sequence, this.#moment())
  }

  #moment(): Moment {
    return new Moment(this.#keydir, this.#files, this.#log.active, this.#log.sequence)
  }

  compareKeys(a: Uint8Array, b: Uint8Array): number {
    return compareInKeydirOrder(a, b)
  }

  scan(options: ScanOptions & ReadOptions = {}): Scan {
    checkScan(options)
    if (this.#closed) throw closedError()
    const moment = options.snapshot === undefined ? this.#moment() : this.#snapshots.momentOf(options.snapshot).retain()
    return sliceIterator(
      new KeydirScan(this.#keydir, moment, {
        range: scanRange({ ...options, after: undefined }),
        slot: options.prefix && slotOfPrefix(options.prefix),
        after: options.after,
        reverse: options.reverse ?? false,
        limit: options.limit ?? Infinity,
        keysOnly: options.keysOnly ?? false,
        now: this.#options.clock(),
      }),
    )
  }

  changes(since: number, options: ChangesOptions = {}): Changes {
    if (this.#closed) throw closedError()
    return this.#changes.changes(since, options)
  }

  /** Keys are spread evenly over the files, whatever the range: the share of a sample of them, of the bytes of all. */
  approximateSize(range: KeyRange): number {
    checkRange(range)
    if (this.#closed) throw closedError()
    if (keysWithin(scanRange(range)) === undefined || this.#keydir.size === 0) return 0
    let sampled = 0
    for (const _ of this.scan({ limit: sampleKeys, keysOnly: true })) sampled++
    let within = 0
    const { lower, upper } = scanRange(range)
    for (const { key } of this.scan({ limit: sampleKeys, keysOnly: true })) {
      if (lower !== undefined && Buffer.compare(key, lower) < 0) continue
      if (upper === undefined || Buffer.compare(key, upper) < 0) within++
    }
    let bytes = 0
    for (const { summary } of this.#files) bytes += summary.bytes
    return Math.ceil((bytes * within) / Math.max(sampled, 1))
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
    const record = this.#written
    record.keyBytes = keySource
    record.keyStart = keyStart
    record.keyEnd = keyEnd
    record.valueBytes = valueSource
    record.valueStart = valueStart
    record.valueEnd = valueEnd
    record.kind = kindPut
    record.expiresAt = expiresAt
    record.tag = tag
    record.writtenAt = writtenAt
    return this.#log.write(slotOfKey(keySource, keyStart, keyEnd), hashKey(keySource, keyStart, keyEnd), record)
  }

  deleteFrom(source: Uint8Array, start: number, end: number): number {
    checkKeyLength(end - start)
    this.#admitWrite()
    const record = this.#written
    record.keyBytes = source
    record.keyStart = start
    record.keyEnd = end
    record.valueBytes = noBytes
    record.valueStart = 0
    record.valueEnd = 0
    record.kind = kindDelete
    record.expiresAt = 0
    record.tag = 0
    record.writtenAt = 0
    return this.#log.write(slotOfKey(source, start, end), hashKey(source, start, end), record)
  }

  #admitWrite(): void {
    if (this.#closed) throw closedError()
    if (this.#readOnly !== undefined) throw this.#readOnly
    if (this.#log.bytesWritten >= this.#throttleAt && !this.#log.inAtomic) this.#throttle()
  }

  putSync(key: Uint8Array, value: Uint8Array, options?: WriteOptions): number {
    checkKey(key)
    checkValue(value)
    const { expiresAt = 0, tag = 0, writtenAt = 0 } = options ?? {}
    return this.putFrom(key, 0, key.length, value, 0, value.length, expiresAt, tag, writtenAt)
  }

  deleteSync(key: Uint8Array): number {
    checkKey(key)
    return this.deleteFrom(key, 0, key.length)
  }

  deleteRangeSync(range: KeyRange): number {
    checkRange(range)
    return this.atomic(() => {
      for (const { key } of this.scan({ ...range, keysOnly: true })) this.deleteSync(key)
      return this.#log.sequence
    })
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
    this.#log.rotate()
    const { active, sealed } = this.#log
    const { segments } = this.#live.manifest.state
    const gone = [...this.#files].filter((file) => file !== active.file && segments.has(file.number))
    this.#live.apply(
      { sequence: this.#log.sequence + 1, dropSegments: gone.map(({ number }) => number) },
      gone.flatMap(({ path, number }) => [path, hintPath(this.directory, number)]),
    )
    this.#log.skipSequence()
    this.#background.cleared()
    this.#keydir.clear()
    this.#log.drop(sealed)
    for (const file of gone) this.#files.release(file)
    await this.#live.settle()
  }

  // Durability

  durable(): Promise<void> | undefined {
    if (this.#options.durability !== 'sync') return undefined
    return this.#durableNow()
  }

  async sync(): Promise<void> {
    if (this.#closed) throw closedError()
    await this.#durableNow()
  }

  #durableNow(): Promise<void> | undefined {
    if (this.#readOnly !== undefined && this.#groupSync.durableSequence < this.#log.sequence)
      return Promise.reject(uncertainError(this.#readOnly))
    return this.#groupSync.reach(this.#log.sequence)
  }

  /** Oldest file first: a crash in between loses a suffix, never a hole. */
  async #syncLog(): Promise<number> {
    // Asked for in the middle of an atomic batch: not before the batch is whole.
    if (this.#log.inAtomic) await null
    const sequence = this.#log.sequence
    const actives = [...this.#log.sealed, this.#log.active].filter(({ syncedEnd, file }) => syncedEnd < file.end)
    for (const { file } of actives) file.retain()
    try {
      // First what has left the log: its records are as good as lost until the manifest says so on disk.
      await this.#live.sync()
      for (const active of actives) {
        const { end, settled } = active.file
        if (settled) continue
        await active.segment.syncLater()
        if (!active.file.settled) active.markSynced(end)
      }
      return sequence
    } catch (error) {
      this.#fail(error)
      throw uncertainError(error)
    } finally {
      for (const { file } of actives) this.#files.release(file)
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
    const pauseMs = this.#owedPauseMs
    if (pauseMs === 0) return undefined
    this.#owedPauseMs = 0
    this.#pausedMs += pauseMs
    return new Promise((resolve) => setTimeout(resolve, pauseMs))
  }

  #throttle(): void {
    this.#throttleAt = this.#log.bytesWritten + throttleBytes
    this.#background.pump()
    this.#allocator.pump()
    this.#supply.prepare(this.#log.active.segment, this.#log.active.file.end)
    const { bytes, live } = this.#background.debt
    const delay = mergeDelayPerMiB({ bytes, live, dataFileBytes: this.#options.dataFileBytes })
    this.#owedPauseMs += (delay * throttleBytes) / 2 ** 20
    if (this.#owedPauseMs < owedPauseMsMax) return
    this.#background.wait(this.#owedPauseMs)
    this.#pausedMs += this.#owedPauseMs
    this.#owedPauseMs = 0
  }

  #createActive(capacityMin: number): ActiveFile {
    const { manifest } = this.#live
    manifest.beginIfDue()
    const index = this.#files.reserve()
    try {
      const { number, file: segment } = this.#supply.take(capacityMin) ?? this.#supply.create(capacityMin)
      try {
        const active = new ActiveFile(number, index, segment, this.#options.salt(), this.#window)
        manifest.append({ addSegments: [{ number, salt: active.file.salt }] })
        this.#files.enter(active.file)
        return active
      } catch (error) {
        segment.close()
        this.#storage.remove(segment.path)
        throw error
      }
    } catch (error) {
      this.#files.free(index)
      throw error
    }
  }

  /** In the place of an active file where nothing is written. */
  #blankActive(): ActiveFile {
    const index = this.#files.reserve()
    const active = new ActiveFile(0, index, blankSegment(this.directory), 0, this.#window)
    this.#files.enter(active.file)
    return active
  }

  /** One that was created and cannot be used. If even that fails, no later file may be written: it would seem to follow a hole. */
  #discardActive({ file }: ActiveFile): void {
    this.#files.release(file)
    try {
      this.#live.apply({ dropSegments: [file.number] }, [file.path])
    } catch (error) {
      this.#fail(error)
    }
  }

  // Maintenance

  #admitMaintenance(operation: string): void {
    if (this.#closed) throw closedError()
    if (this.#readOnly !== undefined) throw this.#readOnly
    if (this.#log.inAtomic)
      throw new TypeError(`${operation}() cannot be part of an atomic batch: call it before or after`)
  }

  /** Everything written so far is in settled files: on disk, with hints. */
  async flush(options?: AbortOptions): Promise<void> {
    checkedSignal(options)?.throwIfAborted()
    this.#admitMaintenance('flush')
    this.#log.rotate()
    await abortable(
      this.#background.flushed().then(() => this.#live.settle()),
      options,
    )
  }

  /** Merges every file, whatever the range: keys of any range are in all of them. */
  async compactRange(options: { gte?: Uint8Array; lt?: Uint8Array } & AbortOptions = {}): Promise<void> {
    await this.flush(options)
    await abortable(this.#background.compactAll(options.signal), options)
    await this.#live.settle()
  }

  async checkpoint(directory: string, options?: AbortOptions): Promise<void> {
    if (this.#closed) throw closedError()
    if (!this.#options.readOnly) this.#admitMaintenance('checkpoint')
    return this.#operations.run(options, (signal) => this.#checkpoint(resolve(directory), signal))
  }

  /** The files of this moment: what a merge has dropped by now was overwritten by something that is in them. */
  async #checkpoint(target: string, signal: AbortSignal): Promise<void> {
    if (!this.#options.readOnly) this.#log.rotate()
    const { state } = this.#live.manifest
    const sealed = [...this.#log.sealed]
    const segments = new Map(state.segments)
    segments.delete(this.#log.active.file.number)
    for (const { file } of sealed) segments.set(file.number, { number: file.number, salt: file.salt, end: file.end })
    const moment = { ...state, sequence: this.#log.sequence, segments }
    const release = this.#live.hold()
    for (const { file } of sealed) file.retain()
    const copy = async (job: CopyJob) => void (await this.#background.run(job))
    try {
      await writeCheckpoint(this.#storage, this.directory, target, moment, this.#syncFiles(sealed), copy, signal)
    } finally {
      release()
      for (const { file } of sealed) this.#files.release(file)
    }
  }

  async #syncFiles(sealed: readonly ActiveFile[]): Promise<void> {
    try {
      for (const { file, segment } of sealed) if (!file.settled) await segment.syncLater()
    } catch (error) {
      this.#fail(error)
      throw error
    }
  }

  /** As one batch, below 1 GiB, in any order. */
  async ingest(records: Iterable<IngestRecord> | AsyncIterable<IngestRecord>, options?: AbortOptions): Promise<number> {
    this.#admitMaintenance('ingest')
    return this.#operations.run(options, async (signal) => {
      const batch = new Map<string, BatchOperation>()
      for await (const { key, value, ...times } of records) {
        signal.throwIfAborted()
        checkKey(key)
        checkValue(value)
        const text = Buffer.from(key).toString('latin1')
        if (batch.has(text))
          throw new RangeError(
            `an ingested key comes once, but ${JSON.stringify(text)} came after ${JSON.stringify(text)}`,
          )
        batch.set(text, {
          type: 'put',
          key: keptCopy(key, 0, key.length),
          value: keptCopy(value, 0, value.length),
          ...times,
        })
      }
      if (batch.size === 0) return this.#log.sequence
      this.#admitMaintenance('ingest')
      this.#log.ingest(() => this.writeSync([...batch.values()]))
      const { sequence } = this.#log
      await this.sync()
      return sequence
    })
  }

  stats(): StoreStats {
    const files = [...this.#files]
    const sum = (numbers: number[]) => numbers.reduce((total, number) => total + number, 0)
    const details: Record<string, number> = {
      'bitcask.files': files.length,
      'bitcask.unsettledFiles': this.#log.sealed.length + 1,
      'bitcask.keydir.keys': this.#keydir.size,
      'bitcask.keydir.bytes': this.#keydir.byteLength,
      'bitcask.recordBytes': sum(files.map(({ summary }) => summary.bytes)),
      'bitcask.liveBytes': sum(files.map(({ liveBytes }) => liveBytes)),
      'bitcask.pausedMs': this.#pausedMs,
      'bitcask.bytesWritten': this.#log.bytesWritten,
    }
    for (const [name, value] of Object.entries(this.#background.counters)) details[`bitcask.${name}`] = value
    const { active } = this.#log
    const keptBytes = sum(
      this.#background.keptFiles().map(({ summary, liveBytes }) => Math.max(summary.bytes - liveBytes, 0)),
    )
    details['bitcask.keptDeadBytes'] = keptBytes
    return {
      sequence: this.#log.sequence,
      keysEstimate: this.#keydir.size,
      diskBytes: sum(files.map(({ end }) => end)) + active.segment.allocated - active.file.end,
      memoryBytes:
        this.#keydir.byteLength + sum(files.map(({ memoryBytes }) => memoryBytes)) + this.#window.bytes.length,
      readOnlyReason: this.#readOnly?.message,
      details,
    }
  }

  async verify(options?: AbortOptions): Promise<VerifyReport> {
    if (this.#closed) throw closedError()
    const signal = checkedSignal(options)
    const { segments } = this.#live.manifest.state
    const settled = [...this.#files].filter((file) => file.settled && segments.has(file.number))
    for (const file of settled) file.retain()
    const report: VerifyReport = { files: 0, bytes: 0, records: 0, errors: [] }
    for (const { file } of [...this.#log.sealed, this.#log.active].filter(({ isEmpty }) => !isEmpty)) {
      const walk = walkFrames(file, file.salt, file.path, file.end, () => report.records++)
      report.files++
      report.bytes += file.end
      if (walk.end < file.end)
        report.errors.push({ file: file.path, offset: walk.end, message: 'a record does not match its checksum' })
    }
    const release = this.#live.hold()
    try {
      for (const { path, number, salt, end } of settled) {
        signal?.throwIfAborted()
        if (this.#closed) throw closedError()
        const job: Job = {
          type: 'verify-data',
          data: { path, number, salt, end },
          hint: hintPath(this.directory, number),
        }
        const result = await abortable(this.#background.run(job), options)
        if (result.type !== 'verify-data') throw new TypeError(`a verify job answered ${result.type}`)
        report.files += result.files
        report.bytes += result.bytes
        report.records += result.records
        report.errors.push(...result.errors)
      }
      return report
    } finally {
      release()
      for (const file of settled) this.#files.release(file)
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    clearInterval(this.#syncTimer)
    this.#changes.close()
    await this.#operations.stop(closedError())
    try {
      // What is settled needs no replay. If it cannot be settled now, it is in the log.
      if (this.#readOnly === undefined) await this.flush()
      if (this.#options.durability !== 'os') await this.#groupSync.reach(this.#log.sequence)
    } catch (error) {
      this.#options.onEvent({ level: 'warn', name: 'closed-unflushed', details: { reason: String(error) } })
    }
    this.#closed = true
    await Promise.all([this.#background.stop(), this.#allocator.stop()])
    this.#supply.close()
    await this.#groupSync.idle()
    this.#snapshots.closeAll()
    const { active } = this.#log
    try {
      if (active.isEmpty && this.#readOnly === undefined) {
        const keydir = await this.#saveKeydir()
        this.#live.apply({ dropSegments: [active.file.number], ...(keydir && { keydir }) }, [active.file.path])
      }
      if (!this.#options.readOnly) await this.#live.settle()
    } finally {
      for (const file of [...this.#files]) this.#files.release(file)
      this.#live.manifest.close()
      this.#lock.release()
    }
  }

  /**
   * What the next open needs instead of hints. Crash windows: until the manifest lists it, it is a stray; it is listed by the last edit
   * that this process makes, and the next one begins with a manifest that does not.
   */
  async #saveKeydir(): Promise<KeydirRecord | undefined> {
    const { manifest } = this.#live
    const files = [...this.#files].filter((file) => file !== this.#log.active.file)
    const isWhole = files.every((file) => file.settled && manifest.state.segments.has(file.number))
    if (this.#keydir.size < this.#options.snapshotKeysMin || !isWhole) return undefined
    const listed = { number: manifest.allocateFile(), salt: this.#options.salt() }
    const path = keydirPath(this.directory, listed.number)
    try {
      await writeKeydirSnapshot(this.#storage, path, this.#keydir, {
        ...listed,
        sequence: this.#log.sequence,
        files,
      })
      return listed
    } catch (error) {
      if (!(error instanceof CaskadeError)) throw error
      this.#options.onEvent({ level: 'warn', name: 'keydir-unsaved', details: { reason: error.message } })
      this.#removeQuietly(path)
      return undefined
    }
  }

  /** If it cannot be removed now, the next open does. */
  #removeQuietly(path: string): void {
    try {
      this.#storage.remove(path)
    } catch (error) {
      if (!(error instanceof CaskadeError)) throw error
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** So many keys tell how large a range is. */
const sampleKeys = 1000

const openedReadOnlyError = (directory: string) =>
  new CaskadeError('CASKADE_READ_ONLY', `${directory} was opened with readOnly: to write, open it without`)

const closedError = () => new CaskadeError('CASKADE_CLOSED', 'this store is closed: open it again')

const uncertainError = (cause: unknown) =>
  new CaskadeError(
    'CASKADE_UNCERTAIN',
    `the write may or may not be on disk: ${cause instanceof Error ? cause.message : String(cause)}`,
    { cause },
  )
