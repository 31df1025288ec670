import { compareBytes, compareSlices, viewOf } from '../../bytes.js'
import { copyBytes, keptCopy } from '../../copy-bytes.js'
import type { SegmentFile } from '../../io/storage.js'
import { hashKey } from '../../key-hash.js'
import type { KeyInterval } from '../../scan-range.js'
import { FoundRecord } from '../found-record.js'
import { noRanges, type RangeTombstones } from '../range/range-tombstones.js'
import { kindDelete, type RecordFields } from '../record-cursor.js'
import { nextAllocation } from './allocation-policy.js'
import { MemtableIndex } from './memtable-index.js'
import { MemtableOrder } from './memtable-order.js'
import { sortRecords } from './memtable-sort.js'
import { lowerBound, RunCursor } from './run-cursor.js'
import {
  align8,
  flagDelete,
  flagRange,
  flagsAt,
  frameHeaderBytes,
  framesStart,
  keyLengthAt,
  previousAt,
  recordBytes,
  recordHeaderBytes,
  sealFrame,
  sequenceHighAt,
  sequenceLowAt,
  timeFlags,
  valueLengthAt,
  type Watermark,
  writeSegmentHeader,
  writeWatermark,
} from './segment-format.js'
import { type FrameWalk, walkFrames } from './segment-frames.js'
import {
  isRangeRecord,
  readRecord,
  recordEnd,
  recordKeyEquals,
  recordKeyStart,
  recordSequence,
  type SegmentBytes,
} from './segment-record.js'

/** Kept free at the end of every segment for the frame that seals it. */
export const sealBytes = 16

/** What one record takes in a segment, at most: its own frame, and alignment. `flags`: see `timeFlags`. */
export function frameBytes(keyLength: number, valueLength: number, flags: number): number {
  return align8(frameHeaderBytes + recordBytes(keyLength, valueLength, flags))
}

/** A segment's capacity for records of `bytes` in all. */
export const segmentCapacityFor = (bytes: number) => framesStart + bytes + frameHeaderBytes + 8 + sealBytes

/**
 * A log segment and its memtable: a record is encoded once, into the segment, which makes it survive the death of the
 * process; a hash index points at it. Order is made on demand. A put that throws has changed nothing.
 */
export class Memtable implements SegmentBytes {
  readonly fileNumber: number
  readonly file: SegmentFile
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly #salt: number
  readonly #index: MemtableIndex
  readonly #order = new MemtableOrder()
  #ranges = noRanges
  /** Where the next frame (or, in an open frame, the next record) goes: 8-byte (4-byte) aligned. */
  #end = framesStart
  #smallestSequence = 0
  #largestSequence = 0
  #openFrame = 0
  #openRecords = 0
  /** Both sequences as they were before the open frame. */
  #sequencesBefore: readonly [smallest: number, largest: number] = [0, 0]
  /** Of the open frame: each deleted range's place among the records, and the ranges as they were before it. */
  #rangesBefore: { record: number; ranges: RangeTombstones }[] = []
  #sealed = false
  /** Its file is open for reading only. */
  #recovered = false
  #references = 1
  #watermark: Watermark
  #prefetched = 0
  /** Of the file: copied, for it is asked at every put. */
  #allocated: number

  private constructor(fileNumber: number, file: SegmentFile, salt: number, watermark: Watermark, index: MemtableIndex) {
    this.fileNumber = fileNumber
    this.file = file
    this.bytes = file.bytes
    this.view = viewOf(file.bytes)
    this.#salt = salt
    this.#watermark = watermark
    this.#index = index
    this.#allocated = file.allocated
  }

  /** `keysExpected`: its index is made for so many. */
  static create(fileNumber: number, file: SegmentFile, salt: number, keysExpected = 0): Memtable {
    const index = new MemtableIndex(file.capacity, keysExpected)
    const memtable = new Memtable(fileNumber, file, salt, { generation: 0, syncedEnd: framesStart }, index)
    writeSegmentHeader(memtable.view, memtable.bytes, { fileNumber, salt })
    file.commit(0, framesStart)
    return memtable
  }

  /** Indexes what a segment of an earlier process holds. The memtable takes no more writes. */
  static recover(
    fileNumber: number,
    file: SegmentFile,
    salt: number,
    watermark: Watermark,
    limit: number,
  ): { memtable: Memtable; walk: FrameWalk } {
    const memtable = new Memtable(fileNumber, file, salt, watermark, new MemtableIndex(limit))
    const walk = walkFrames(memtable, salt, file.path, limit, (offset) => memtable.#enter(offset))
    memtable.#end = walk.end
    memtable.#sealed = walk.sealed
    memtable.#recovered = true
    return { memtable, walk }
  }

  /** Everything of worth lies before it, the seal included. */
  get end(): number {
    return this.#end
  }

  /** Whole frames lie before it. */
  get wholeEnd(): number {
    return this.#openFrame === 0 ? this.#end : this.#openFrame
  }

  get isEmpty(): boolean {
    return this.#end === framesStart
  }

  get salt(): number {
    return this.#salt
  }

  get syncedEnd(): number {
    return this.#watermark.syncedEnd
  }

  /** Distinct keys, tombstones included. */
  get keys(): number {
    return this.#index.size
  }

  /** The index of a sealed memtable, for its flush. */
  get slots(): Uint32Array {
    return this.#index.slots
  }

  /** Deleted ranges, those of the open frame included. */
  get ranges(): RangeTombstones {
    return this.#ranges
  }

  get smallestSequence(): number {
    return this.#smallestSequence
  }

  get largestSequence(): number {
    return this.#largestSequence
  }

  get memoryBytes(): number {
    return this.#end + this.#index.byteLength + this.#order.byteLength
  }

  /** Whether a record of `bytes` (see `frameBytes`) still fits; allocates space for it. Throws when the disk is full. */
  hasRoom(bytes: number): boolean {
    const end = this.#end + bytes + sealBytes
    return !this.#sealed && !this.#recovered && (end <= this.#allocated || this.#allocateTo(end))
  }

  #allocateTo(end: number): boolean {
    const { file } = this
    if (end > file.capacity) return false
    file.allocate(nextAllocation(file.allocated, file.capacity, end))
    this.#allocated = file.allocated
    return true
  }

  /** Newest record of a key with a sequence of at most `sequenceMax`, tombstones included. */
  find(
    hash: number,
    source: Uint8Array,
    start: number,
    end: number,
    sequenceMax: number,
    target: RecordFields,
  ): boolean {
    const slot = this.#slotOf(hash, source, start, end)
    if (slot < 0) return false
    let offset = this.#index.offsetAt(slot)
    while (offset !== 0 && recordSequence(this.view, offset) > sequenceMax) {
      offset = this.view.getUint32(offset + previousAt, true)
    }
    if (offset === 0) return false
    readRecord(this, offset, target)
    return true
  }

  /** Touches the index slot that a lookup begins at. */
  prefetchSlot(hash: number): void {
    this.#prefetched ^= this.#index.slotAt(hash)
  }

  /** Touches the record that a lookup would find; whether there is one. */
  prefetch(hash: number): boolean {
    const slot = this.#index.probe(hash)
    if (slot < 0) return false
    const offset = this.#index.offsetAt(slot)
    // Kept, or the compiler would leave the reads out.
    this.#prefetched ^= this.bytes[offset]! ^ this.bytes[offset + 64]!
    return true
  }

  #slotOf(hash: number, source: Uint8Array, start: number, end: number): number {
    let slot = this.#index.probe(hash)
    while (slot >= 0) {
      const offset = this.#index.offsetAt(slot)
      if (offset !== 0 && recordKeyEquals(this, offset, source, start, end)) return slot
      slot = this.#index.probeAfter(hash, slot)
    }
    return slot
  }

  /** The caller has made sure of room. */
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
    sequence: number,
  ): void {
    const { view, bytes } = this
    const slot = this.#slotOf(hash, keySource, keyStart, keyEnd)
    const frame = this.#end
    const offset = this.#openFrame === 0 ? frame + frameHeaderBytes : frame
    const keyLength = keyEnd - keyStart
    const valueLength = valueEnd - valueStart

    const flags = (kind === kindDelete ? flagDelete : 0) | timeFlags(expiresAt, writtenAt) | (tag << 4)
    view.setUint32(offset + flagsAt, flags | (keyLength << 16), true)
    view.setUint32(offset + valueLengthAt, valueLength, true)
    view.setUint32(offset + previousAt, slot < 0 ? 0 : this.#index.offsetAt(slot), true)
    view.setUint32(offset + sequenceLowAt, sequence % 0x1_0000_0000, true)
    view.setUint32(offset + sequenceHighAt, Math.floor(sequence / 0x1_0000_0000), true)
    let position = offset + recordHeaderBytes
    if (expiresAt !== 0) {
      view.setFloat64(position, expiresAt, true)
      position += 8
    }
    if (writtenAt !== 0) {
      view.setUint32(position, writtenAt % 0x1_0000_0000, true)
      view.setUint16(position + 4, Math.floor(writtenAt / 0x1_0000_0000), true)
      position += 6
    }
    copyBytes(keySource, keyStart, keyEnd, bytes, position)
    copyBytes(valueSource, valueStart, valueEnd, bytes, position + keyLength)
    const end = offset + recordBytes(keyLength, valueLength, flags)

    this.#endRecord(frame, end)
    this.#point(slot, hash, offset, sequence)
  }

  /**
   * Deletes every key in `[lower, upper)`; without `upper`, to the last. The caller has made sure of room. `held` are the
   * moments that are still read at.
   */
  deleteRange(lower: Uint8Array, upper: Uint8Array | undefined, sequence: number, held: readonly number[]): void {
    const { view, bytes } = this
    const frame = this.#end
    const offset = this.#openFrame === 0 ? frame + frameHeaderBytes : frame
    const upperLength = upper?.length ?? 0
    view.setUint32(offset + flagsAt, flagRange | (lower.length << 16), true)
    view.setUint32(offset + valueLengthAt, upperLength, true)
    view.setUint32(offset + previousAt, 0, true)
    view.setUint32(offset + sequenceLowAt, sequence % 0x1_0000_0000, true)
    view.setUint32(offset + sequenceHighAt, Math.floor(sequence / 0x1_0000_0000), true)
    const position = copyBytes(lower, 0, lower.length, bytes, offset + recordHeaderBytes)
    if (upper !== undefined) copyBytes(upper, 0, upperLength, bytes, position)
    if (this.#openFrame !== 0) this.#rangesBefore.push({ record: this.#openRecords, ranges: this.#ranges })
    this.#endRecord(frame, offset + recordBytes(lower.length, upperLength, 0))
    this.#ranges = this.#ranges.with(lower, upper, sequence, held)
    this.#spanSequence(sequence)
  }

  /** The record at the end is whole: a frame of its own, or the next of the open one. */
  #endRecord(frame: number, end: number): void {
    if (this.#openFrame === 0) {
      sealFrame(this.view, this.bytes, this.#salt, frame, end, 1)
      this.file.commit(frame, end)
      this.#end = align8(end)
    } else {
      this.#openRecords++
      this.#end = end
    }
  }

  #point(slot: number, hash: number, offset: number, sequence: number): void {
    if (slot < 0) this.#index.insert(-1 - slot, hash, offset)
    else this.#index.setAt(slot, offset)
    this.#spanSequence(sequence)
  }

  #spanSequence(sequence: number): void {
    if (this.#largestSequence === 0) this.#smallestSequence = sequence
    this.#largestSequence = sequence
  }

  #enter(offset: number): void {
    if (isRangeRecord(this.view, offset)) {
      const { keyBytes, keyStart, keyEnd, valueStart, valueEnd, sequence } = this.#recordAt(offset)
      const upper = valueEnd > valueStart ? keptCopy(keyBytes, valueStart, valueEnd) : undefined
      this.#ranges = this.#ranges.with(keptCopy(keyBytes, keyStart, keyEnd), upper, sequence, [])
      this.#spanSequence(sequence)
      return
    }
    const start = recordKeyStart(this.view, offset)
    const end = start + this.view.getUint16(offset + keyLengthAt, true)
    const hash = hashKey(this.bytes, start, end)
    this.#point(this.#slotOf(hash, this.bytes, start, end), hash, offset, recordSequence(this.view, offset))
  }

  /** Whether it says anything, by a record or a deleted range, of a key from `first` to `last`. */
  holdsAny(first: Uint8Array, last: Uint8Array): boolean {
    const inRange = this.#ranges.fragments.some(
      ({ lower, upper }) => compareBytes(lower, last) <= 0 && (upper === undefined || compareBytes(upper, first) > 0),
    )
    if (inRange) return true
    return this.cursors().some((cursor) => {
      cursor.seek(first, 0, first.length)
      return cursor.valid && compareSlices(cursor.keyBytes, cursor.keyStart, cursor.keyEnd, last, 0, last.length) <= 0
    })
  }

  /** Records put until `commitFrame` are one frame: all of them survive a crash, or none. */
  openFrame(): void {
    this.#openFrame = this.#end
    this.#openRecords = 0
    this.#rangesBefore = []
    this.#sequencesBefore = [this.#smallestSequence, this.#largestSequence]
    this.#end += frameHeaderBytes
  }

  /** Throws if the frame could not be committed: it is still open then, and to be aborted. */
  commitFrame(): void {
    const start = this.#openFrame
    if (this.#openRecords > 0) {
      sealFrame(this.view, this.bytes, this.#salt, start, this.#end, this.#openRecords)
      this.file.commit(start, this.#end)
    }
    this.#end = this.#openRecords > 0 ? align8(this.#end) : start
    this.#openFrame = 0
  }

  /** Takes back every record of the open frame. Their bytes stay as they are until the next put. */
  abortFrame(): void {
    this.takeBack(0)
    this.#end = this.#openFrame
    this.#openFrame = 0
  }

  get openRecordCount(): number {
    return this.#openRecords
  }

  /** Takes back the records of the open frame but its first `kept`. */
  takeBack(kept: number): void {
    const records = this.openRecords()
    for (const offset of records.splice(kept).reverse()) {
      this.#end = offset
      if (isRangeRecord(this.view, offset)) continue
      const start = recordKeyStart(this.view, offset)
      const end = start + this.view.getUint16(offset + keyLengthAt, true)
      const slot = this.#slotOf(hashKey(this.bytes, start, end), this.bytes, start, end)
      this.#index.setAt(slot, this.view.getUint32(offset + previousAt, true))
    }
    const takenRange = this.#rangesBefore.findIndex(({ record }) => record >= kept)
    if (takenRange !== -1) this.#ranges = this.#rangesBefore.splice(takenRange)[0]!.ranges
    this.#openRecords = kept
    const last = records.at(-1)
    if (last !== undefined) this.#largestSequence = recordSequence(this.view, last)
    else [this.#smallestSequence, this.#largestSequence] = this.#sequencesBefore
  }

  /** Offsets of the open frame's records, in order. */
  openRecords(): number[] {
    const offsets: number[] = []
    for (let offset = this.#openFrame + frameHeaderBytes; offset < this.#end; offset = recordEnd(this.view, offset)) {
      offsets.push(offset)
    }
    return offsets
  }

  #recordAt(offset: number): RecordFields {
    const record = new FoundRecord()
    readRecord(this, offset, record)
    return record
  }

  /** No more writes: a last, empty frame tells recovery that nothing is missing. */
  seal(): void {
    if (this.#sealed) return
    const end = this.#end + frameHeaderBytes
    sealFrame(this.view, this.bytes, this.#salt, this.#end, end, 0)
    this.file.commit(this.#end, end)
    // The next sync covers the seal too: were it lost, what later segments hold would look like the far side of a hole.
    this.#end = align8(end)
    this.#sealed = true
  }

  get isSealed(): boolean {
    return this.#sealed
  }

  /** As `seal`, for a recovered segment: through another opening of its file. Unmapped, `bytes` do not show it, so `end` stays before it. */
  sealIn(file: SegmentFile): void {
    const end = this.#end + frameHeaderBytes
    sealFrame(viewOf(file.bytes), file.bytes, this.#salt, this.#end, end, 0)
    file.commit(this.#end, end)
    this.#sealed = true
  }

  /**
   * Notes that everything before `syncedEnd` is on disk: true at any time, so it needs no sync of its own. Of a recovered
   * segment, soon to be flushed, only in memory.
   */
  markSynced(syncedEnd: number): void {
    this.#watermark = { generation: this.#watermark.generation + 1, syncedEnd }
    if (this.#recovered) return
    const { start, end } = writeWatermark(this.view, this.bytes, this.#salt, this.#watermark)
    this.file.commit(start, end)
  }

  /** As `markSynced` for all of a recovered segment, which is open for reading only: the manifest keeps its end instead. */
  assumeSynced(): void {
    this.#watermark = { ...this.#watermark, syncedEnd: this.#end }
  }

  /** Bytes of the segment that hold the range's records, if all are alike. Makes order, as a scan does. */
  approximateSize({ lower, upper }: KeyInterval): number {
    const { wholeEnd } = this
    let records = 0
    let within = 0
    for (const run of this.#order.runs(this, wholeEnd)) {
      records += run.length
      const start = lower === undefined ? 0 : lowerBound(this, run, lower, 0, lower.length)
      const end = upper === undefined ? run.length : lowerBound(this, run, upper, 0, upper.length)
      within += Math.max(end - start, 0)
    }
    return records === 0 ? 0 : Math.ceil((within / records) * (wholeEnd - framesStart))
  }

  /** Cursors that together see every record of this moment: later puts do not show in them. */
  cursors(): RunCursor[] {
    const { wholeEnd } = this
    const cursors = this.#order.runs(this, wholeEnd).map((run) => new RunCursor(this, run))
    if (this.#openRecords > 0 && this.#openFrame !== 0) cursors.push(this.#openCursor())
    return cursors
  }

  /** Over a copy of the open frame: its records may yet be taken back and written over. */
  #openCursor(): RunCursor {
    const bytes = this.bytes.slice(this.#openFrame, this.#end)
    const copy = { bytes, view: viewOf(bytes) }
    const records = this.openRecords().filter((offset) => !isRangeRecord(this.view, offset))
    const run = Uint32Array.from(records, (offset) => offset - this.#openFrame)
    sortRecords(copy, run)
    return new RunCursor(copy, run)
  }

  /** Keeps the segment open, for a reader that spans more than one call, or a sync under way. */
  retain(): this {
    this.#references++
    return this
  }

  /** The owner's reference is the first. */
  release(): void {
    if (--this.#references === 0) this.file.close()
  }
}
