import type { SegmentFile } from '../io/storage.js'
import { nextAllocation } from '../lsm/memtable/allocation-policy.js'
import { frameBytes } from '../lsm/memtable/memtable.js'
import {
  align8,
  frameHeaderBytes,
  framesStart,
  sealFrame,
  timeFlags,
  type Watermark,
  writeSegmentHeader,
  writeWatermark,
} from '../lsm/memtable/segment-format.js'
import type { RecordFields } from '../lsm/record-cursor.js'
import { DataFile, type ReadWindow } from './data-file.js'
import { writeRecord } from './record-writer.js'

/** Kept free at the end of every segment for the frame that seals it. */
const sealBytes = 16

/** What a record takes in a data file, at most. */
export const recordFrameBytes = ({ keyStart, keyEnd, valueStart, valueEnd, expiresAt, writtenAt }: RecordFields) =>
  frameBytes(keyEnd - keyStart, valueEnd - valueStart, timeFlags(expiresAt, writtenAt))

/** The data file that takes writes: a log segment, in which a record survives the death of the process from `append`'s return on. */
export class ActiveFile {
  readonly file: DataFile
  readonly segment: SegmentFile
  #allocated: number
  #openFrame = 0
  #openRecords = 0
  #sealed = false
  #watermark: Watermark = { generation: 0, syncedEnd: framesStart }

  constructor(number: number, index: number, segment: SegmentFile, salt: number, window: ReadWindow) {
    this.segment = segment
    this.#allocated = segment.allocated
    this.file = new DataFile({ number, index, merged: false, salt }, segment, window, framesStart)
    writeSegmentHeader(this.file.view, this.file.bytes, { fileNumber: number, salt })
    segment.commit(0, framesStart)
  }

  get isEmpty(): boolean {
    return this.file.end === framesStart
  }

  get syncedEnd(): number {
    return this.#watermark.syncedEnd
  }

  /** Whether a record of `bytes` still fits; allocates space for it. Throws when the disk is full. */
  hasRoom(bytes: number): boolean {
    const end = this.file.end + bytes + sealBytes
    return !this.#sealed && (end <= this.#allocated || this.#allocateTo(end))
  }

  #allocateTo(end: number): boolean {
    const { segment } = this
    if (end > segment.capacity) return false
    segment.allocate(nextAllocation(segment.allocated, segment.capacity, end))
    this.#allocated = segment.allocated
    return true
  }

  /** Returns the record's offset. The caller has made sure of room. If it throws, nothing has changed. */
  append(record: RecordFields): number {
    const { file } = this
    const { bytes, view } = this.file
    const start = file.end
    if (this.#openFrame !== 0) {
      file.end = writeRecord(file, start, record, this.#openFrame)
      this.#openRecords++
      return start
    }
    const offset = start + frameHeaderBytes
    const end = writeRecord(file, offset, record, 0)
    sealFrame(view, bytes, file.salt, start, end, 1)
    this.segment.commit(start, end)
    file.end = align8(end)
    return offset
  }

  /** 0: none. */
  get openFrameStart(): number {
    return this.#openFrame
  }

  get openRecordCount(): number {
    return this.#openRecords
  }

  /** Records appended until `commitFrame` are one frame: all of them survive a crash, or none. */
  openFrame(): void {
    this.#openFrame = this.file.end
    this.#openRecords = 0
    this.file.end += frameHeaderBytes
  }

  /** Throws if the frame could not be committed: it is still open then, and to be aborted. */
  commitFrame(): void {
    const { file } = this
    const start = this.#openFrame
    if (this.#openRecords > 0) {
      sealFrame(file.view, file.bytes, file.salt, start, file.end, this.#openRecords)
      this.segment.commit(start, file.end)
      file.end = align8(file.end)
    } else file.end = start
    this.#openFrame = 0
  }

  abortFrame(): void {
    this.file.end = this.#openFrame
    this.#openFrame = 0
  }

  /** Forgets the records of the open frame from `offset` on; `kept` are before it. */
  cutFrame(offset: number, kept: number): void {
    this.file.end = offset
    this.#openRecords = kept
  }

  /** No more writes: a last, empty frame tells recovery that nothing is missing. */
  seal(): void {
    if (this.#sealed) return
    const { file } = this
    const end = file.end + frameHeaderBytes
    sealFrame(file.view, file.bytes, file.salt, file.end, end, 0)
    this.segment.commit(file.end, end)
    file.end = align8(end)
    this.#sealed = true
  }

  /** Notes that everything before `syncedEnd` is on disk. True at any time, so it needs no sync of its own. */
  markSynced(syncedEnd: number): void {
    this.#watermark = { generation: this.#watermark.generation + 1, syncedEnd }
    const { start, end } = writeWatermark(this.file.view, this.file.bytes, this.file.salt, this.#watermark)
    this.segment.commit(start, end)
  }
}
