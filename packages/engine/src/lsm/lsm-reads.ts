import { checkKey, checkKeyLength, checkRange, checkScan } from '../arguments.js'
import { hashKey } from '../key-hash.js'
import { OpenSnapshots } from '../open-snapshots.js'
import { keysWithin, scanRange } from '../scan-range.js'
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
import type { WriteLog } from './write-log.js'

const noBytes = new Uint8Array(0)

/** The read side: memtables first, then the version; a past moment by its sequence. */
export class LsmReads {
  readonly #log: WriteLog
  readonly #tree: Tree
  readonly #held: HeldSequences
  readonly #clock: () => number
  readonly #snapshots: OpenSnapshots<() => void>
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
    this.#snapshots = new OpenSnapshots((letGo) => {
      letGo()
      onLetGo()
    })
  }

  borrow(source: Uint8Array, start: number, end: number): BorrowedRecord | undefined {
    if (!this.#find(source, start, end, undefined)) return undefined
    return this.#found.lend(this.#borrowed)
  }

  getSync(key: Uint8Array, options: ReadOptions | undefined): Uint8Array | undefined {
    checkKey(key)
    if (!this.#find(key, 0, key.length, options?.snapshot)) return undefined
    return this.#found.ownedValue()
  }

  getEntry(key: Uint8Array, options: ReadOptions | undefined): Entry | undefined {
    checkKey(key)
    if (!this.#find(key, 0, key.length, options?.snapshot)) return undefined
    return this.#found.ownedEntry(key)
  }

  /** Whether there is a live record under the key; it is in `#found` then. */
  #find(source: Uint8Array, start: number, end: number, snapshot: Snapshot | undefined): boolean {
    checkKeyLength(end - start)
    const sequenceMax = snapshot === undefined ? Infinity : this.#sequenceOf(snapshot)
    const hash = hashKey(source, start, end)
    const found = this.#found
    const version = this.#tree.version
    const inMemory = this.#log.find(hash, source, start, end, sequenceMax, found)
    if (!inMemory && !version.find(hash, source, start, end, sequenceMax, found)) return false
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

  snapshot(): Snapshot {
    if (this.#log.inAtomic) throw new TypeError('snapshot() cannot be part of an atomic batch: call it before or after')
    const { sequence } = this.#log
    return this.#snapshots.open(sequence, this.#held.hold(sequence))
  }

  #sequenceOf(snapshot: Snapshot): number {
    this.#snapshots.momentOf(snapshot)
    return snapshot.sequence
  }

  closeSnapshots(): void {
    this.#snapshots.closeAll()
  }

  scan(options: ScanOptions & ReadOptions): Scan {
    checkScan(options)
    const { snapshot, reverse = false, limit = Infinity, keysOnly = false } = options
    const sequenceMax = snapshot === undefined ? this.#log.sequence : this.#sequenceOf(snapshot)
    const now = this.#clock()
    const range = scanRange(options)
    const log = this.#log
    const tree = this.#tree
    const open = () => {
      const moment = new Moment(log, tree.version)
      return new VisibleScan(new MergeCursor(moment.cursors(), reverse ? 'reverse' : 'forward'), {
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
    const scan = new LateScan(open, this.#held.hold(sequenceMax))
    // What a batch has written may yet be taken back.
    if (log.inAtomic) scan.begin()
    return sliceIterator(scan)
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
