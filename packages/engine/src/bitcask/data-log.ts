import { applySync } from '../apply-sync.js'
import { hashKey } from '../key-hash.js'
import { slotOfKey } from '../key-slot.js'
import { FoundRecord } from '../lsm/found-record.js'
import { segmentCapacityFor } from '../lsm/memtable/memtable.js'
import { align8, frameHeaderBytes, segmentBytesMax } from '../lsm/memtable/segment-format.js'
import { readRecord, recordEnd, recordKeyEquals } from '../lsm/memtable/segment-record.js'
import { kindPut, type RecordFields } from '../lsm/record-cursor.js'
import { type ActiveFile, recordFrameBytes } from './active-file.js'
import type { DataFile } from './data-file.js'
import { addToSummary } from './data-summary.js'
import type { FileTable } from './file-table.js'
import type { Keydir } from './keydir/keydir.js'

/** What the log needs from its store. */
export interface DataLogHost {
  /** A new, listed file with at least this capacity; throws (a full disk) with nothing changed. */
  createActive(capacityMin: number): ActiveFile
  /** It was created, and will not be used. */
  discardActive(active: ActiveFile): void
  /** The active file was sealed and is now the newest of `sealed`. */
  onSealed(): void
}

/** What it takes to take a write of an open batch back. */
interface Undo {
  slot: number
  hash: number
  offset: number
  /** Where the key was before; -1: nowhere. */
  file: number
  fileOffset: number
  /** Bytes of that record: taking back must not need a read, which can fail. */
  fileSize: number
}

/**
 * The write side: the active file, sealed ones that are not settled yet, the sequence, and the keydir's changes. A record goes
 * into the active file, and the keydir points at it; when the file is full it is sealed and a new one takes its place. Whatever throws has
 * changed nothing.
 */
export class DataLog {
  readonly #host: DataLogHost
  readonly #keydir: Keydir
  readonly #files: FileTable
  #active: ActiveFile
  #sealed: readonly ActiveFile[] = []
  #sequence: number
  #inAtomic = false
  /** Of the open batch, in order. */
  #undo: Undo[] = []
  #sequenceBefore = 0
  /** What every record of an ingest gets; 0: none is under way. */
  #ingestSequence = 0
  readonly #moved = new FoundRecord()
  /** Bytes written since the store was opened: what throttling counts. */
  bytesWritten = 0
  /** Called after the next write, once. */
  onWrite: (() => void) | undefined

  constructor(host: DataLogHost, keydir: Keydir, files: FileTable, active: ActiveFile, sequence: number) {
    this.#host = host
    this.#keydir = keydir
    this.#files = files
    this.#active = active
    this.#sequence = sequence
  }

  get active(): ActiveFile {
    return this.#active
  }

  /** Oldest first. */
  get sealed(): readonly ActiveFile[] {
    return this.#sealed
  }

  get sequence(): number {
    return this.#sequence
  }

  get inAtomic(): boolean {
    return this.#inAtomic
  }

  /** Whether the keydir has the key; its entry is the one found, and `files.at(keydir.file)` holds the record. */
  find(slot: number, hash: number, source: Uint8Array, start: number, end: number, moment: number): boolean {
    const keydir = this.#keydir
    if (!keydir.find(slot, hash, moment)) return false
    do {
      const file = this.#files.at(keydir.file)
      if (recordKeyEquals(file, file.load(keydir.offset), source, start, end)) return true
    } while (keydir.findNext())
    return false
  }

  /** Appends a record and enters it; its sequence is set. Returns the sequence. */
  write(slot: number, hash: number, record: RecordFields): number {
    const bytes = recordFrameBytes(record)
    if (!this.#active.hasRoom(bytes)) this.#makeRoom(bytes)
    record.sequence = this.#ingestSequence || this.#sequence + 1
    this.#apply(slot, hash, record)
    this.bytesWritten += bytes
    this.#sequence = record.sequence
    this.onWrite?.()
    return record.sequence
  }

  /** For a change that no record tells of: whoever follows the changes is told that some are gone. */
  skipSequence(): void {
    this.#sequence++
    this.onWrite?.()
  }

  #apply(slot: number, hash: number, record: RecordFields): void {
    const keydir = this.#keydir
    const { file } = this.#active
    const found = this.find(slot, hash, record.keyBytes, record.keyStart, record.keyEnd, 0)
    const oldFile = found ? keydir.file : -1
    const oldOffset = found ? keydir.offset : 0
    const oldSize = found ? sizeOf(this.#files.at(oldFile), oldOffset) : 0
    const offset = this.#active.append(record)
    if (found) this.#files.at(oldFile).liveBytes -= oldSize
    if (record.kind === kindPut) {
      if (found) keydir.replace(file.index, offset)
      else keydir.insert(slot, hash, file.index, offset)
      file.liveBytes += this.#sizeInActive(offset)
    } else if (found) keydir.remove()
    addToSummary(file.summary, record.sequence, record.kind !== kindPut, recordFrameBytes(record), record.expiresAt)
    if (this.#inAtomic) this.#undo.push({ slot, hash, offset, file: oldFile, fileOffset: oldOffset, fileSize: oldSize })
  }

  /** A record alone in its frame. */
  #sizeInActive(offset: number): number {
    return sizeOf(this.#active.file, offset)
  }

  /** All writes that `apply` makes, or none if it throws. One within another is part of its frame. */
  atomic<T>(apply: () => T): T {
    if (this.#inAtomic) return this.#applyPart(apply)
    this.#sequenceBefore = this.#sequence
    this.#inAtomic = true
    this.#active.openFrame()
    try {
      const result = applySync(apply)
      this.#active.commitFrame()
      return result
    } catch (error) {
      this.#takeBack(0)
      this.#active.abortFrame()
      this.#sequence = this.#sequenceBefore
      throw error
    } finally {
      this.#inAtomic = false
      this.#undo = []
    }
  }

  /** As `atomic`, with one sequence for all records, in a file of their own: what follows a sequence is never in the middle of them. */
  ingest(apply: () => void): void {
    this.rotate()
    this.#ingestSequence = this.#sequence + 1
    try {
      this.atomic(apply)
    } finally {
      this.#ingestSequence = 0
    }
    this.rotate()
  }

  #applyPart<T>(apply: () => T): T {
    const sequence = this.#sequence
    const records = this.#active.openRecordCount
    try {
      return applySync(apply)
    } catch (error) {
      this.#takeBack(records)
      this.#sequence = sequence
      throw error
    }
  }

  /** Takes back the writes of the open batch but its first `kept`: in the keydir, then in the file. */
  #takeBack(kept: number): void {
    const { file } = this.#active
    const taken = this.#undo.splice(kept)
    for (const { slot, hash, offset, file: oldFile, fileOffset, fileSize } of taken.reverse()) {
      this.#restore(slot, hash, offset, oldFile, fileOffset)
      file.summary.records--
      file.summary.bytes -= this.#sizeInActive(offset)
      if (oldFile >= 0) this.#files.at(oldFile).liveBytes += fileSize
    }
    file.summary.largestSequence =
      this.#sequenceBefore + (this.#ingestSequence === 0 ? this.#undo.length : Math.min(this.#undo.length, 1))
    if (file.summary.records === 0) file.summary.smallestSequence = file.summary.largestSequence = 0
    const first = taken.at(-1)
    if (first !== undefined) this.#active.cutFrame(first.offset, kept)
  }

  #restore(slot: number, hash: number, offset: number, oldFile: number, oldOffset: number): void {
    const keydir = this.#keydir
    const { file } = this.#active
    let found = keydir.find(slot, hash)
    while (found && !(keydir.file === file.index && keydir.offset === offset)) found = keydir.findNext()
    if (!found) {
      // It was a deletion: without an entry.
      file.summary.tombstones--
      if (oldFile >= 0) keydir.insert(slot, hash, oldFile, oldOffset)
      return
    }
    file.liveBytes -= this.#sizeInActive(offset)
    if (oldFile >= 0) keydir.replace(oldFile, oldOffset)
    else keydir.remove()
  }

  /** Seals the active file, if it holds anything, and begins a new one. */
  rotate(): void {
    if (!this.#active.isEmpty) this.#replaceActive(0)
  }

  /** Forgets files that are settled now (or were cleared). */
  drop(actives: readonly ActiveFile[]): void {
    this.#sealed = this.#sealed.filter((active) => !actives.includes(active))
  }

  /** Sealed first: when there is no room for the next one, the sealed one stays where it is, and the next call tries again. */
  #replaceActive(capacityMin: number): void {
    this.#active.seal()
    this.#activate(this.#host.createActive(capacityMin))
    this.#host.onSealed()
  }

  #activate(next: ActiveFile): void {
    this.#sealed = [...this.#sealed, this.#active]
    this.#active = next
  }

  #makeRoom(bytes: number): void {
    if (!this.#inAtomic) this.#replaceActive(segmentCapacityFor(bytes))
    else this.#moveOpenFrame(bytes)
  }

  /** A frame lies in one file: when it outgrows its own, its records start over in a new one with room to grow. */
  #moveOpenFrame(bytes: number): void {
    const old = this.#active
    const undo = [...this.#undo]
    const needed = segmentCapacityFor(2 * (old.file.end - old.openFrameStart + bytes))
    if (needed > segmentBytesMax)
      throw new RangeError(`an atomic batch holds less than ${segmentBytesMax / 2} bytes: write it in several`)
    const next = this.#host.createActive(needed)
    this.#takeBack(0)
    old.abortFrame()
    try {
      // The seal takes the place of the frame's header: the records behind it are still there to be read.
      old.seal()
    } catch (error) {
      // `atomic` needs an open frame to abort; what it held is gone, as it should be.
      old.openFrame()
      this.#host.discardActive(next)
      throw error
    }
    this.#activate(next)
    next.openFrame()
    const record = this.#moved
    for (const { offset } of undo) {
      readRecord(old.file, offset, record)
      const { keyBytes, keyStart, keyEnd } = record
      this.#apply(slotOfKey(keyBytes, keyStart, keyEnd), hashKey(keyBytes, keyStart, keyEnd), record)
    }
    // Not before: settling cuts the old file off behind its seal, where the records just were.
    this.#host.onSealed()
  }
}

/** Of a record as if it were alone in its frame. */
function sizeOf(file: DataFile, offset: number): number {
  const position = file.load(offset)
  return align8(frameHeaderBytes + recordEnd(file.view, position) - position)
}
