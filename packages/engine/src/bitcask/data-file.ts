import { viewOf } from '../bytes.js'
import { crc32 } from '../checksum.js'
import { CorruptionError } from '../errors.js'
import type { ReadFile, SegmentFile } from '../io/storage.js'
import {
  frameEnd,
  frameHeaderBytes,
  framesStart,
  previousAt,
  recordHeaderBytes,
} from '../lsm/memtable/segment-format.js'
import { recordEnd, type SegmentBytes } from '../lsm/memtable/segment-record.js'
import { type DataSummary, emptySummary } from './data-summary.js'

/** First read of a record that is not mapped: most are whole in it. */
const windowBytesMin = 4096
/** A window that one large record has made larger than this is not kept. */
const windowBytesKept = 1 << 20

/** Half a millisecond of unmapping what was written, page by page or not. */
const shedBytes = 4 << 20

/** Where records of files that are not mapped are read into; the files of a store share one. */
export class ReadWindow implements SegmentBytes {
  bytes = new Uint8Array(windowBytesMin)
  view = viewOf(this.bytes)

  reserve(length: number): void {
    if (length <= this.bytes.length && this.bytes.length <= Math.max(windowBytesKept, length)) return
    this.bytes = new Uint8Array(Math.max(length, windowBytesMin))
    this.view = viewOf(this.bytes)
  }
}

/**
 * A data file, open for reading its records. No wrong byte is served: a record is checked against the checksum of its frame when it is first
 * read from a mapping (a bit per 32 bytes of file remembers it), and each time where it is read by a call. What this process has
 * written itself is taken as it is, as from a memtable; a merge reads back what it wrote.
 */
export class DataFile implements SegmentBytes {
  readonly number: number
  /** Under which the keydir knows it. */
  readonly index: number
  readonly path: string
  readonly salt: number
  readonly merged: boolean
  /** After `load`: the bytes that hold the record. */
  bytes: Uint8Array
  view: DataView
  /** Everything of worth lies before it. */
  end: number
  /** Of records that the keydir points at: exact, but for records above 16 KiB of files that were opened: theirs may be a part in 2,000 too high. */
  liveBytes = 0
  summary: DataSummary = emptySummary()
  /** Bytes of tombstones that a merge had to keep, and numbers of the files because of which. */
  pinnedBytes = 0
  pinnedBy: readonly number[] = []
  /** It is on disk up to its end, and the manifest says so. */
  settled = false
  #source: SegmentFile | ReadFile
  #retired: SegmentFile | ReadFile | undefined
  #resident: boolean
  /** A bit per 32 bytes. Records of two frames begin 36 bytes apart or more: those that begin in the same 32 are verified together. */
  #verified: Uint8Array | undefined
  readonly #window: ReadWindow
  #references = 1
  #prefetched = 0
  #shed = 0

  constructor(
    place: { number: number; index: number; merged: boolean; salt: number },
    source: SegmentFile | ReadFile,
    window: ReadWindow,
    end: number,
  ) {
    this.number = place.number
    this.index = place.index
    this.merged = place.merged
    this.salt = place.salt
    this.path = source.path
    this.#window = window
    this.end = end
    this.#source = source
    const whole = 'bytes' in source ? source.bytes : source.mapping
    this.#resident = whole !== undefined
    this.bytes = whole ?? window.bytes
    this.view = whole === undefined ? window.view : viewOf(whole)
    if (whole !== undefined && !('bytes' in source)) this.#verified = new Uint8Array((end >>> 8) + 1)
  }

  /** The whole file in memory, when it is mapped or being written. */
  get isResident(): boolean {
    return this.#resident
  }

  get memoryBytes(): number {
    return this.#verified?.byteLength ?? 0
  }

  /** It was written, or replayed, in this process, and is now read from its file; what it was written through is still to be let go of. */
  settle(source: ReadFile): void {
    this.#retired = this.#source
    this.#source = source
    const whole = source.mapping
    this.#resident = whole !== undefined
    if (whole === undefined) return
    this.bytes = whole
    this.view = viewOf(whole)
  }

  /** Every frame was checked since this process wrote the file. */
  trust(): void {
    this.#verified = undefined
  }

  /** Makes the record at `offset` of the file readable; returns its position in `bytes`, valid until the next load of any file. */
  load(offset: number): number {
    if (!this.#resident) return this.#read(offset)
    if (this.#verified !== undefined && (this.#verified[offset >>> 8]! & (1 << ((offset >>> 5) & 7))) === 0)
      this.#verify(this.#verified, offset)
    return offset
  }

  /** Touches the record, so that it is in the processor's cache when it is loaded. */
  prefetch(offset: number): void {
    // Kept, or the compiler would leave the reads out.
    if (this.#resident) this.#prefetched ^= this.bytes[offset]! ^ this.bytes[offset + 64]!
  }

  /** Checks the record's frame, and remembers it for all records in it. */
  #verify(verified: Uint8Array, offset: number): void {
    const { bytes, view } = this
    const start = offset + recordHeaderBytes > this.end ? 0 : frameOf(view, offset, offset)
    const end = start < framesStart || start >= offset ? 0 : frameEnd(view, bytes, this.salt, start)
    if (end === 0 || !holdsRecord(view, start + frameHeaderBytes, end, offset)) throw this.#damaged(offset)
    for (let record = start + frameHeaderBytes; record < end; record = recordEnd(view, record))
      verified[record >>> 8]! |= 1 << ((record >>> 5) & 7)
  }

  #read(offset: number): number {
    const source = this.#source as ReadFile
    const window = this.#window
    const alone = offset - frameHeaderBytes
    if (offset + recordHeaderBytes > this.end) throw this.#damaged(offset)
    let length = Math.min(windowBytesMin, this.end - alone)
    window.reserve(length)
    source.read(window.bytes, 0, length, alone)
    const start = frameOf(window.view, frameHeaderBytes, offset)
    if (start < framesStart || start > alone) throw this.#damaged(offset)
    if (start < alone) {
      length = Math.min(windowBytesMin, this.end - start)
      source.read(window.bytes, 0, length, start)
    }
    const frameLength = frameHeaderBytes + window.view.getUint32(4, true)
    if (start + frameLength > this.end) throw this.#damaged(offset)
    if (frameLength > length) {
      window.reserve(frameLength)
      source.read(window.bytes, 0, frameLength, start)
    }
    const { bytes, view } = window
    const sound = view.getUint32(0, true) === crc32(bytes, view, 4, frameLength, (this.salt ^ start) >>> 0)
    if (!sound || !holdsRecord(view, frameHeaderBytes, frameLength, offset - start)) throw this.#damaged(offset)
    this.bytes = bytes
    this.view = view
    return offset - start
  }

  #damaged(offset: number): CorruptionError {
    return new CorruptionError(this.path, offset, 'a record does not match its checksum')
  }

  /** Gives back some of the pages that the file was written through, as `shed` does. False: what is left is for the close. */
  shedRetired(): boolean {
    const retired = this.#retired
    return this.#references === 1 && retired !== undefined && 'shed' in retired && retired.shed(this.end)
  }

  /** Closes what the file was written through, unless somebody may hold its bytes: then the release of those does. */
  closeRetired(): void {
    if (this.#references > 1) return
    this.#retired?.close()
    this.#retired = undefined
  }

  /** Gives back some of the pages of a file that is about to be released: unmapping all at once takes the kernel 0.1 ms a MiB. False: done. */
  shed(): boolean {
    const source = this.#source
    if (this.#references > 1 || this.#shed >= this.end || !('advise' in source)) return false
    source.advise(this.#shed, shedBytes, 'dont-need')
    this.#shed += shedBytes
    return true
  }

  /** Keeps the file open. */
  retain(): this {
    this.#references++
    return this
  }

  /** The owner's reference is the first. Returns whether it was the last. */
  release(): boolean {
    this.#references--
    this.closeRetired()
    if (this.#references > 0) return false
    this.#source.close()
    return true
  }
}

/** Where the frame of the record at `position` of a view begins in its file. */
function frameOf(view: DataView, position: number, offset: number): number {
  const frame = view.getUint32(position + previousAt, true)
  return frame === 0 ? offset - frameHeaderBytes : frame
}

/** Whether one of the records in `[start, end)` begins at `position`. */
function holdsRecord(view: DataView, start: number, end: number, position: number): boolean {
  let record = start
  while (record < position) record = recordEnd(view, record)
  return record === position && recordEnd(view, record) <= end
}
