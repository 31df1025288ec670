import { checkKey, checkKeyLength, checkRange, checkScan } from '../arguments.js'
import { keptCopy } from '../copy-bytes.js'
import { CaskadeError, CorruptionError } from '../errors.js'
import { hashKey } from '../key-hash.js'
import { OpenSnapshots } from '../open-snapshots.js'
import { type KeyInterval, keysWithin, scanRange, successor } from '../scan-range.js'
import { sliceIterator } from '../slice-iterator.js'
import type { BorrowedRecord, Entry, KeyRange, ReadOptions, Scan, ScanOptions, Snapshot } from '../store.js'
import { FoundRecord } from './found-record.js'
import type { HeldSequences } from './held-sequences.js'
import { LateScan } from './late-scan.js'
import { MergeCursor } from './merge/merge-cursor.js'
import { VisibleScan } from './merge/visible-scan.js'
import { Moment } from './moment.js'
import { kindPut } from './record-cursor.js'
import type { Tree } from './tree.js'
import type { Version } from './version/version.js'
import type { WriteLog } from './write-log.js'

/** Blocks that one call reads ahead at once. */
const fetchesMax = 256

const noBytes = new Uint8Array(0)

/** The read side: memtables first, then the version; a past moment by its sequence. */
export class LsmReads {
  readonly #log: WriteLog
  readonly #tree: Tree
  readonly #held: HeldSequences
  readonly #clock: () => number
  readonly #onLetGo: () => void
  readonly #snapshots: OpenSnapshots<() => void>
  #closed = false
  readonly #found = new FoundRecord()
  readonly #borrowed: BorrowedRecord = {
    bytes: noBytes,
    valueStart: 0,
    valueEnd: 0,
    sequence: 0,
    expiresAt: 0,
    tag: 0,
    writtenAt: 0,
  }

  /** `onLetGo`: a moment is no longer held, so that there may be something to compact. */
  constructor(log: WriteLog, tree: Tree, held: HeldSequences, clock: () => number, onLetGo: () => void) {
    this.#log = log
    this.#tree = tree
    this.#held = held
    this.#clock = clock
    this.#onLetGo = onLetGo
    this.#snapshots = new OpenSnapshots((letGo) => {
      letGo()
      onLetGo()
    })
  }

  borrow(source: Uint8Array, start: number, end: number): BorrowedRecord | undefined {
    if (!this.#find(source, start, end, Infinity)) return undefined
    return this.#found.lend(this.#borrowed)
  }

  getSync(key: Uint8Array, options: ReadOptions | undefined): Uint8Array | undefined {
    checkKey(key)
    if (!this.#find(key, 0, key.length, this.#sequenceMax(options))) return undefined
    return this.#found.ownedValue()
  }

  getEntry(key: Uint8Array, options: ReadOptions | undefined): Entry | undefined {
    checkKey(key)
    if (!this.#find(key, 0, key.length, this.#sequenceMax(options))) return undefined
    return this.#found.ownedEntry(key)
  }

  /**
   * The values of keys of which some may have to come from the disk: their blocks are asked for at once, so that the disk works on
   * many and this thread on none. `undefined`: there is nothing to wait for. Reads at the moment of the call.
   */
  getLater(
    keys: readonly Uint8Array[],
    options: ReadOptions | undefined,
  ): Promise<(Uint8Array | undefined)[]> | undefined {
    const { version } = this.#tree
    // One key of a mapped table: its page fault takes as long as anything that could be done about it.
    const isDue = keys.length > 1 ? version.anyCold : version.anyUnmapped
    return isDue && !this.#log.inAtomic ? this.#getLater(keys, options) : undefined
  }

  async #getLater(keys: readonly Uint8Array[], options: ReadOptions | undefined): Promise<(Uint8Array | undefined)[]> {
    for (const key of keys) checkKey(key)
    const sequenceMax = options?.snapshot === undefined ? this.#log.sequence : this.#sequenceOf(options.snapshot)
    const letGo = this.#held.hold(sequenceMax)
    const version = this.#tree.version.retain()
    try {
      await this.#fetch(keys, version)
      if (this.#closed) throw new CaskadeError('CASKADE_CLOSED', 'this store was closed before the read ended')
      return keys.map((key) => (this.#find(key, 0, key.length, sequenceMax) ? this.#found.ownedValue() : undefined))
    } finally {
      version.release()
      letGo()
      this.#onLetGo()
    }
  }

  /** What cannot be read is told by the read that follows. */
  async #fetch(keys: readonly Uint8Array[], version: Version): Promise<void> {
    const pending: Promise<void>[] = []
    for (const key of keys) {
      const hash = hashKey(key, 0, key.length)
      if (this.#log.find(hash, key, 0, key.length, Infinity, this.#found)) continue
      const fetched = version.fetch(hash, key, 0, key.length)
      if (fetched === undefined || pending.push(fetched) < fetchesMax) continue
      await Promise.allSettled(pending.splice(0))
      if (this.#closed) return
    }
    await Promise.allSettled(pending)
  }

  /** Whether there is a live record under the key; it is in `#found` then. */
  #find(source: Uint8Array, start: number, end: number, sequenceMax: number): boolean {
    checkKeyLength(end - start)
    const hash = hashKey(source, start, end)
    const found = this.#found
    const version = this.#tree.version
    const inMemory = this.#log.find(hash, source, start, end, sequenceMax, found)
    if (!inMemory && !this.#findInTables(version, hash, source, start, end, sequenceMax)) return false
    if (found.kind !== kindPut || (found.expiresAt !== 0 && found.expiresAt <= this.#clock())) return false
    const { ranges } = this.#log
    if (!ranges.isEmpty && ranges.newestCovering(source, start, end, sequenceMax) > found.sequence) return false
    // Ranges in tables were deleted before anything in memory was written.
    return (
      inMemory ||
      version.ranges.isEmpty ||
      version.ranges.newestCovering(source, start, end, sequenceMax) <= found.sequence
    )
  }

  #findInTables(
    version: Version,
    hash: number,
    source: Uint8Array,
    start: number,
    end: number,
    sequenceMax: number,
  ): boolean {
    try {
      return version.find(hash, source, start, end, sequenceMax, this.#found)
    } catch (error) {
      const noneDeleted = version.ranges.isEmpty && this.#log.ranges.isEmpty
      if (noneDeleted || !(error instanceof CorruptionError)) throw error
      return this.#findPastDamage(keptCopy(source, start, end), sequenceMax)
    }
  }

  /** The filter of a damaged block may have been wrong about the key, and what was in the block may have been deleted since: a scan knows. */
  #findPastDamage(key: Uint8Array, sequenceMax: number): boolean {
    const scan = this.#openScan({ lower: key, upper: successor(key) }, { limit: 1 }, sequenceMax)
    const { value } = scan.next()
    scan.release()
    if (value === undefined) return false
    this.#found.take(value)
    return true
  }

  snapshot(): Snapshot {
    if (this.#log.inAtomic) throw new TypeError('snapshot() cannot be part of an atomic batch: call it before or after')
    const { sequence } = this.#log
    return this.#snapshots.open(sequence, this.#held.hold(sequence))
  }

  #sequenceMax(options: ReadOptions | undefined): number {
    return options?.snapshot === undefined ? Infinity : this.#sequenceOf(options.snapshot)
  }

  #sequenceOf(snapshot: Snapshot): number {
    this.#snapshots.momentOf(snapshot)
    return snapshot.sequence
  }

  close(): void {
    this.#closed = true
    this.#snapshots.closeAll()
  }

  scan(options: ScanOptions & ReadOptions): Scan {
    checkScan(options)
    const { snapshot } = options
    const sequenceMax = snapshot === undefined ? this.#log.sequence : this.#sequenceOf(snapshot)
    const range = scanRange(options)
    const now = this.#clock()
    const open = () => this.#openScan(range, options, sequenceMax, now)
    const scan = new LateScan(open, this.#held.hold(sequenceMax))
    // What a batch has written may yet be taken back.
    if (this.#log.inAtomic) scan.begin()
    return sliceIterator(scan)
  }

  #openScan(range: KeyInterval, options: ScanOptions, sequenceMax: number, now = this.#clock()): VisibleScan {
    const { reverse = false, limit = Infinity, keysOnly = false, onDamage } = options
    const moment = new Moment(this.#log, this.#tree.version)
    const cursors = moment.cursors(moment.guard(range, sequenceMax, onDamage))
    return new VisibleScan(new MergeCursor(cursors, reverse ? 'reverse' : 'forward'), {
      range,
      reverse,
      limit,
      keysOnly,
      sequenceMax,
      now,
      isDeleted: moment.deletedUpTo(sequenceMax),
      release: () => moment.release(),
    })
  }

  approximateSize(range: KeyRange): number {
    checkRange(range)
    const interval = keysWithin(scanRange(range))
    if (interval === undefined) return 0
    let bytes = this.#tree.version.approximateSize(interval)
    for (const memtable of [...this.#log.immutables, this.#log.active]) bytes += memtable.approximateSize(interval)
    return bytes
  }
}
