import { viewOf } from '../bytes.js'
import { CorruptionError } from '../errors.js'
import type { SegmentFile, Storage } from '../io/storage.js'
import type { FoundRecord } from '../lsm/found-record.js'
import { segmentCapacityFor } from '../lsm/memtable/memtable.js'
import {
  align8,
  frameHeaderBytes,
  framesStart,
  recordBytes,
  sealFrame,
  timeFlags,
  writeSegmentHeader,
} from '../lsm/memtable/segment-format.js'
import { walkFrames } from '../lsm/memtable/segment-frames.js'
import type { SegmentBytes } from '../lsm/memtable/segment-record.js'
import { HintBuilder } from './hint-builder.js'
import type { MergedFile, MergeJob, MergeOutputFile } from './job.js'
import { writeHint } from './job-run.js'
import { writeRecord } from './record-writer.js'

/** What an output needs besides its records: its header, a frame begun and a frame that ends it. */
const outputOverhead = framesStart + 2 * frameHeaderBytes + 16

/** Files that so many bytes of records, as hints count them, can need: two that follow each other hold more than one has room for. */
export function outputsAtMost(bytes: number, outputBytes: number): number {
  return 2 * Math.ceil(bytes / Math.max(outputBytes - outputOverhead - 8, 1)) + 1
}

/** Records are put into frames of about this size: an eighth less space than one by one, and a first read checks no more than this. */
const frameBytesWanted = 1024

/** Where the files go, how large they become, and the secret of their hints. */
export type OutputPlan = Pick<MergeJob, 'outputs' | 'outputBytes' | 'secret'>

/** The files that a merge, or a repair, writes, one after the other. */
export class MergeOutputs {
  readonly #storage: Storage
  readonly #plan: OutputPlan
  readonly #written: MergedFile[] = []
  readonly #begun: MergeOutputFile[] = []
  #file: OutputFile | undefined
  /** Of the record added last. */
  index = 0
  offset = 0
  /** As hints count it. */
  size = 0

  constructor(storage: Storage, plan: OutputPlan) {
    this.#storage = storage
    this.#plan = plan
  }

  add(record: FoundRecord, pinnedBy: readonly number[] | undefined): void {
    const { keyStart, keyEnd, valueStart, valueEnd, expiresAt, writtenAt } = record
    const bytes = recordBytes(keyEnd - keyStart, valueEnd - valueStart, timeFlags(expiresAt, writtenAt))
    if (this.#file !== undefined && !this.#file.hasRoom(bytes)) this.#finishFile()
    this.#file ??= this.#begin(bytes)
    this.index = this.#written.length
    this.size = align8(frameHeaderBytes + bytes)
    this.offset = this.#file.add(record, bytes, pinnedBy)
  }

  #begin(bytes: number): OutputFile {
    const output = this.#plan.outputs[this.#begun.length]!
    this.#begun.push(output)
    const capacity = Math.max(segmentCapacityFor(align8(frameHeaderBytes + bytes)), this.#plan.outputBytes)
    const segment = this.#storage.createSegment(output.path, capacity)
    try {
      return new OutputFile(segment, output)
    } catch (error) {
      segment.close()
      throw error
    }
  }

  #finishFile(): void {
    if (this.#file === undefined) return
    this.#written.push(this.#file.finish(this.#storage, this.#plan.secret))
    this.#file = undefined
  }

  finish(): MergedFile[] {
    this.#finishFile()
    return this.#written
  }

  abandon(): void {
    this.#file?.close()
    for (const { path, hint } of this.#begun) {
      this.#storage.remove(path)
      this.#storage.remove(hint)
    }
  }
}

class OutputFile {
  readonly #segment: SegmentFile
  readonly #output: MergeOutputFile
  readonly #target: SegmentBytes
  #frame = 0
  #frameRecords = 0
  #end = framesStart
  #pinnedBytes = 0
  readonly #pinnedBy = new Set<number>()

  constructor(segment: SegmentFile, output: MergeOutputFile) {
    this.#segment = segment
    this.#output = output
    this.#target = { bytes: segment.bytes, view: viewOf(segment.bytes) }
    writeSegmentHeader(this.#target.view, this.#target.bytes, { fileNumber: output.number, salt: output.salt })
    segment.commit(0, framesStart)
  }

  hasRoom(bytes: number): boolean {
    return align8(this.#end) - framesStart + bytes + outputOverhead <= this.#segment.capacity
  }

  add(record: FoundRecord, bytes: number, pinnedBy: readonly number[] | undefined): number {
    if (this.#frame !== 0 && this.#end - this.#frame + bytes > frameBytesWanted) this.#closeFrame()
    if (this.#frame === 0) {
      this.#frame = this.#end
      this.#frameRecords = 0
      this.#end += frameHeaderBytes
    }
    const offset = this.#end
    this.#end = writeRecord(this.#target, offset, record, this.#frame)
    this.#frameRecords++
    if (pinnedBy !== undefined) {
      this.#pinnedBytes += align8(frameHeaderBytes + bytes)
      for (const number of pinnedBy) this.#pinnedBy.add(number)
    }
    return offset
  }

  #closeFrame(): void {
    if (this.#frame === 0) return
    const { view, bytes } = this.#target
    sealFrame(view, bytes, this.#output.salt, this.#frame, this.#end, this.#frameRecords)
    this.#segment.commit(this.#frame, this.#end)
    this.#end = align8(this.#end)
    this.#frame = 0
  }

  finish(storage: Storage, secret: readonly [number, number]): MergedFile {
    this.#closeFrame()
    const { view, bytes } = this.#target
    const { number, salt, path, hint } = this.#output
    const start = this.#end
    sealFrame(view, bytes, salt, start, start + frameHeaderBytes, 0)
    this.#segment.commit(start, start + frameHeaderBytes)
    this.#end = align8(start + frameHeaderBytes)
    this.#segment.sync()
    const owner = { number, salt, end: this.#end }
    const builder = new HintBuilder(secret)
    const walk = walkFrames(this.#target, salt, path, this.#end, (offset) => builder.add(this.#target, offset, offset))
    if (walk.end < this.#end) throw new CorruptionError(path, walk.end, 'a record does not match its checksum')
    writeHint(storage, hint, builder.finish(owner))
    this.#segment.close()
    storage.append(path, this.#end).close()
    return { ...owner, summary: builder.summary, pinnedBytes: this.#pinnedBytes, pinnedBy: [...this.#pinnedBy] }
  }

  close(): void {
    this.#segment.close()
  }
}
