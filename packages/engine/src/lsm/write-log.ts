import { applySync } from '../apply-sync.js'
import { keptCopy } from '../copy-bytes.js'
import { hashKey } from '../key-hash.js'
import { FoundRecord } from './found-record.js'
import type { HeldSequences } from './held-sequences.js'
import { frameBytes, type Memtable, segmentCapacityFor } from './memtable/memtable.js'
import { segmentBytesMax, timeFlags } from './memtable/segment-format.js'
import { readRecord } from './memtable/segment-record.js'
import { RangeTombstones } from './range/range-tombstones.js'
import { kindDeleteRange, type RecordFields } from './record-cursor.js'

/** What the log needs from its store. */
export interface WriteLogHost {
  /** A new, listed segment with at least this capacity, and space for it; throws (a full disk) with nothing changed. */
  createMemtable(capacityMin: number): Memtable
  /** It was created, and will not be used. */
  discardMemtable(memtable: Memtable): void
  /** The active memtable was sealed and is now the newest of `immutables`. */
  onSealed(): void
}

/**
 * The write side: the active memtable, those that wait to be flushed, and the sequence. A record goes into the active
 * memtable's segment; when that is full it is sealed and a new one takes its place. Whatever throws has changed nothing.
 */
export class WriteLog {
  readonly #host: WriteLogHost
  #active: Memtable
  /** Sealed, oldest first. */
  #immutables: readonly Memtable[]
  #sequence: number
  #inAtomic = false
  #ranges: RangeTombstones
  readonly #held: HeldSequences
  /** Bytes written since the store was opened: what throttling counts. */
  bytesWritten = 0
  /** Of the keys being prefetched. */
  readonly #hashes = new Uint32Array(64)
  /** Called after each write, or atomic batch of them, if it is there. */
  onWrite: (() => void) | undefined

  constructor(
    host: WriteLogHost,
    active: Memtable,
    immutables: readonly Memtable[],
    sequence: number,
    held: HeldSequences,
  ) {
    this.#host = host
    this.#active = active
    this.#immutables = immutables
    this.#sequence = sequence
    this.#held = held
    this.#ranges = this.#mergedRanges()
  }

  get active(): Memtable {
    return this.#active
  }

  get immutables(): readonly Memtable[] {
    return this.#immutables
  }

  /** Of the newest write. */
  get sequence(): number {
    return this.#sequence
  }

  /** For a write that does not go through the log. */
  takeSequence(): number {
    return ++this.#sequence
  }

  get inAtomic(): boolean {
    return this.#inAtomic
  }

  put(
    hash: number,
    keySource: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueSource: Uint8Array,
    valueStart: number,
    valueEnd: number,
    kind: number,
    expiresAt: number,
    tag: number,
    writtenAt: number,
  ): number {
    const bytes = frameBytes(keyEnd - keyStart, valueEnd - valueStart, timeFlags(expiresAt, writtenAt))
    if (!this.#active.hasRoom(bytes)) this.#makeRoom(bytes)
    const sequence = this.#sequence + 1
    this.#active.put(
      hash,
      keySource,
      keyStart,
      keyEnd,
      valueSource,
      valueStart,
      valueEnd,
      kind,
      expiresAt,
      tag,
      writtenAt,
      sequence,
    )
    this.#sequence = sequence
    this.bytesWritten += bytes
    if (this.onWrite !== undefined) this.#tell()
    return sequence
  }

  #tell(): void {
    if (!this.#inAtomic) this.onWrite?.()
  }

  /** Deletes every key in `[lower, upper)`. */
  deleteRange(lower: Uint8Array, upper: Uint8Array | undefined): number {
    const bytes = frameBytes(lower.length, upper?.length ?? 0, 0)
    if (!this.#active.hasRoom(bytes)) this.#makeRoom(bytes)
    const sequence = this.#sequence + 1
    const held = this.#held.sequences
    this.#active.deleteRange(lower, upper, sequence, held)
    this.#ranges = this.#ranges.with(lower, upper, sequence, held)
    this.#sequence = sequence
    this.bytesWritten += bytes
    this.#tell()
    return sequence
  }

  /** Ranges deleted in any of the memtables. */
  get ranges(): RangeTombstones {
    return this.#ranges
  }

  #mergedRanges(): RangeTombstones {
    const parts = [...this.#immutables, this.#active].map(({ ranges }) => ranges)
    return RangeTombstones.merged(parts, this.#held.sequences)
  }

  /** All writes that `apply` makes, or none if it throws. One within another is part of its frame. */
  atomic<T>(apply: () => T): T {
    if (this.#inAtomic) return this.#applyPart(apply)
    const sequence = this.#sequence
    const ranges = this.#ranges
    this.#inAtomic = true
    this.#active.openFrame()
    try {
      const result = applySync(apply)
      this.#active.commitFrame()
      return result
    } catch (error) {
      this.#active.abortFrame()
      this.#sequence = sequence
      this.#ranges = ranges
      throw error
    } finally {
      this.#inAtomic = false
      this.#tell()
    }
  }

  #applyPart<T>(apply: () => T): T {
    const sequence = this.#sequence
    const ranges = this.#ranges
    const records = this.#active.openRecordCount
    try {
      return applySync(apply)
    } catch (error) {
      this.#active.takeBack(records)
      this.#sequence = sequence
      this.#ranges = ranges
      throw error
    }
  }

  /** Newest record of a key in memory up to `sequenceMax`, tombstones included; deleted ranges are the caller's to look at. */
  find(
    hash: number,
    source: Uint8Array,
    start: number,
    end: number,
    sequenceMax: number,
    target: RecordFields,
  ): boolean {
    if (!this.#active.isEmpty && this.#active.find(hash, source, start, end, sequenceMax, target)) return true
    const immutables = this.#immutables
    for (let i = immutables.length - 1; i >= 0; i--) {
      if (immutables[i]!.find(hash, source, start, end, sequenceMax, target)) return true
    }
    return false
  }

  /**
   * As `Store.prefetch`, of up to 64 keys: first their index slots, then, in the newest memtable that may hold the key, the record. Nothing is decided
   * upon a slot before all are asked for: a branch that waits for memory, and is guessed wrong, stops the reads behind it.
   */
  prefetch(source: Uint8Array, bounds: Int32Array, count: number): void {
    const hashes = this.#hashes
    const most = Math.min(count, hashes.length)
    for (let i = 0; i < most; i++) {
      const hash = hashKey(source, bounds[2 * i]!, bounds[2 * i + 1]!)
      hashes[i] = hash
      this.#active.prefetchSlot(hash)
    }
    for (let i = 0; i < most; i++) this.#prefetchRecord(hashes[i]!)
  }

  #prefetchRecord(hash: number): void {
    if (this.#active.prefetch(hash)) return
    const immutables = this.#immutables
    for (let i = immutables.length - 1; i >= 0; i--) if (immutables[i]!.prefetch(hash)) return
  }

  /** Seals the active memtable, if it holds anything, and begins a new one. */
  rotate(): void {
    if (!this.#active.isEmpty) this.#replaceActive(0)
  }

  /** Forgets memtables that are in tables now (or were cleared). */
  drop(memtables: readonly Memtable[]): void {
    this.#immutables = this.#immutables.filter((memtable) => !memtables.includes(memtable))
    if (!this.#ranges.isEmpty) this.#ranges = this.#mergedRanges()
  }

  /** Sealed first: when there is no room for the next one, the sealed one stays where it is, and the next call tries again. */
  #replaceActive(capacityMin: number): void {
    this.#active.seal()
    this.#activate(this.#host.createMemtable(capacityMin))
  }

  #activate(next: Memtable): void {
    this.#immutables = [...this.#immutables, this.#active]
    this.#active = next
    this.#host.onSealed()
  }

  #makeRoom(bytes: number): void {
    if (!this.inAtomic) this.#replaceActive(segmentCapacityFor(bytes))
    else this.#moveOpenFrame(bytes)
  }

  /** A frame lies in one segment: when it outgrows its own, its records start over in a new one with room to grow. */
  #moveOpenFrame(bytes: number): void {
    const old = this.#active
    const records = old.openRecords()
    const needed = segmentCapacityFor(2 * (old.end - (records[0] ?? old.end) + bytes))
    if (needed > segmentBytesMax)
      throw new RangeError(`an atomic batch holds less than ${segmentBytesMax / 2} bytes: write it in several`)
    const next = this.#host.createMemtable(needed)
    next.openFrame()
    const record = new FoundRecord()
    for (const offset of records) {
      readRecord(old, offset, record)
      const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd } = record
      const { kind, expiresAt, tag, writtenAt, sequence } = record
      if (kind === kindDeleteRange) {
        const upper = valueEnd > valueStart ? keptCopy(valueBytes, valueStart, valueEnd) : undefined
        next.deleteRange(keptCopy(keyBytes, keyStart, keyEnd), upper, sequence, this.#held.sequences)
        continue
      }
      const hash = hashKey(keyBytes, keyStart, keyEnd)
      next.put(
        hash,
        keyBytes,
        keyStart,
        keyEnd,
        valueBytes,
        valueStart,
        valueEnd,
        kind,
        expiresAt,
        tag,
        writtenAt,
        sequence,
      )
    }
    old.abortFrame()
    try {
      old.seal()
    } catch (error) {
      // `atomic` needs an open frame to abort; what it held is gone, as it should be.
      old.openFrame()
      this.#host.discardMemtable(next)
      throw error
    }
    this.#activate(next)
  }
}
