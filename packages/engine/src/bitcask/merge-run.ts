import { dirname } from 'node:path'
import { viewOf } from '../bytes.js'
import { CorruptionError } from '../errors.js'
import { readWhole } from '../io/read-whole.js'
import type { SegmentFile, Storage } from '../io/storage.js'
import { hashKey } from '../key-hash.js'
import { slotCount, slotOfKey } from '../key-slot.js'
import { FoundRecord } from '../lsm/found-record.js'
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
import { readRecord, type SegmentBytes } from '../lsm/memtable/segment-record.js'
import { kindDelete, kindPut } from '../lsm/record-cursor.js'
import { buildHint, HintBuilder } from './hint-builder.js'
import { HintReader } from './hint-format.js'
import type { BitcaskJobResult, MergedFile, MergeInput, MergeJob, MergeOutputFile, MovedRecords } from './job.js'
import { writeHint } from './job-run.js'
import { KeyedHash } from './keyed-hash.js'
import { writeRecord } from './record-writer.js'

/** What an output needs besides its records: its header, a frame begun and a frame that ends it. */
const outputOverhead = framesStart + 2 * frameHeaderBytes + 16

/** Files that so many bytes of records, as hints count them, can need: two that follow each other hold more than one has room for. */
export function outputsAtMost(bytes: number, outputBytes: number): number {
  return 2 * Math.ceil(bytes / Math.max(outputBytes - outputOverhead - 8, 1)) + 1
}

/** Records are put into frames of about this size: an eighth less space than one by one, and a first read checks no more than this. */
const frameBytesWanted = 1024

/**
 * Copies what is live, in the order of the inputs. Every frame read is checked against its checksum; the outputs, their hints and
 * their names are on disk when it returns.
 *
 * A tombstone is kept while any other file that has older records lists its key; so is, as a tombstone, the memory of a record
 * that has expired. Crash windows: the outputs are strays until the manifest lists them, in the same edit that drops the inputs.
 */
export function runMerge(storage: Storage, job: MergeJob): BitcaskJobResult {
  for (const path of job.logs) syncLog(storage, path)
  for (const { live } of job.inputs) live.sort()
  const plan = new MergePlan(job)
  for (const [i, input] of job.inputs.entries())
    readInput(storage, input, (segment, offset) => plan.note(i, segment, offset))
  plan.dropTombstones(storage)
  const outputs = new MergeOutputs(storage, job)
  try {
    for (const [i, input] of job.inputs.entries())
      readInput(storage, input, (segment, offset) => plan.copy(i, segment, offset, outputs))
    const written = outputs.finish()
    // A listed file that a power cut took away would look like damage.
    storage.syncDirectory(dirname(job.inputs[0]!.path))
    return { type: 'merge', written, moved: plan.moved(), tombstonesDropped: plan.tombstonesDropped }
  } catch (error) {
    outputs.abandon()
    throw error
  }
}

/** The file may be active: its bytes up to now are in the page cache, and a sync through any descriptor covers them. */
function syncLog(storage: Storage, path: string): void {
  const segment = storage.openSegment(path)
  try {
    segment.sync()
  } finally {
    segment.close()
  }
}

function readInput(storage: Storage, input: MergeInput, visit: (segment: SegmentBytes, offset: number) => void): void {
  const file = storage.open(input.path)
  try {
    const bytes = file.mapping ?? new Uint8Array(file.size)
    if (file.mapping === undefined) file.read(bytes, 0, bytes.length, 0)
    const segment = { bytes, view: viewOf(bytes) }
    const walk = walkFrames(segment, input.salt, input.path, input.end, (offset) => visit(segment, offset))
    if (walk.end < input.end) throw new CorruptionError(input.path, walk.end, 'a record does not match its checksum')
  } finally {
    file.close()
  }
}

/** A record without a value that hides older ones of its key: a deletion, or what is left of a record that has expired. */
interface Tombstone {
  slot: number
  hash: number
  identityLow: number
  identityHigh: number
  sequence: number
  /** Numbers of files that may hold the key. */
  pinnedBy: number[]
}

class MergePlan {
  readonly #job: MergeJob
  readonly #record = new FoundRecord()
  readonly #hash: KeyedHash
  /** By input, then offset: those that may have to be kept. Of each key only the newest in the inputs. */
  readonly #tombstones: Map<number, Tombstone>[]
  readonly #newest = new Map<string, { input: number; offset: number; sequence: number }>()
  /** Next live record of each input. */
  readonly #next: number[]
  readonly #moves: MovedRecords
  #count = 0
  tombstonesDropped = 0

  constructor(job: MergeJob) {
    this.#job = job
    this.#hash = new KeyedHash(job.secret)
    this.#tombstones = job.inputs.map(() => new Map())
    this.#next = job.inputs.map(() => 0)
    const live = job.inputs.reduce((sum, input) => sum + input.live.length, 0)
    this.#moves = movesOf(live)
  }

  #isExpired(): boolean {
    const { kind, expiresAt } = this.#record
    return kind === kindPut && expiresAt !== 0 && expiresAt <= this.#job.now
  }

  /** First pass: what hides older records, and is itself not hidden by the inputs. */
  note(input: number, segment: SegmentBytes, offset: number): void {
    const record = this.#record
    readRecord(segment, offset, record)
    const { keyBytes, keyStart, keyEnd, sequence } = record
    const live = this.#isLive(input, offset)
    if (live && !this.#isExpired()) return
    // A record that has been superseded hides nothing that its successor does not hide.
    if (record.kind === kindPut && !live) return
    const key = Buffer.from(keyBytes.buffer, keyBytes.byteOffset + keyStart, keyEnd - keyStart).toString('latin1')
    const known = this.#newest.get(key)
    if (known !== undefined) {
      this.tombstonesDropped++
      if (known.sequence > sequence) return
      this.#tombstones[known.input]!.delete(known.offset)
    }
    this.#newest.set(key, { input, offset, sequence })
    this.#hash.update(keyBytes, keyStart, keyEnd)
    this.#tombstones[input]!.set(offset, {
      slot: slotOfKey(keyBytes, keyStart, keyEnd),
      hash: hashKey(keyBytes, keyStart, keyEnd),
      identityLow: this.#hash.low,
      identityHigh: this.#hash.high & 0xffff,
      sequence,
      pinnedBy: [],
    })
  }

  /** Asks in rising offsets, twice. */
  #isLive(input: number, offset: number): boolean {
    const { live } = this.#job.inputs[input]!
    let next = this.#next[input]!
    if (next > 0 && live[next - 1]! >= offset) next = 0
    while (next < live.length && live[next]! < offset) next++
    this.#next[input] = next
    return live[next] === offset
  }

  /** Only hints of the other files are read: some MiB for each. */
  dropTombstones(storage: Storage): void {
    this.#newest.clear()
    const all = this.#tombstones.flatMap((tombstones) => [...tombstones.values()])
    if (all.length === 0) return
    const bySlot = new Map<number, Tombstone[]>()
    for (const tombstone of all) {
      const list = bySlot.get(tombstone.slot)
      if (list === undefined) bySlot.set(tombstone.slot, [tombstone])
      else list.push(tombstone)
    }
    const newest = all.reduce((most, { sequence }) => Math.max(most, sequence), 0)
    for (const { data, hint: path, smallestSequence } of this.#job.others) {
      if (smallestSequence === 0 || smallestSequence > newest) continue
      const hint = readHint(storage, path, data, this.#job.secret)
      for (let i = 0; i < hint.count; i++) {
        for (const tombstone of bySlot.get(hint.slot(i)) ?? []) {
          if (hint.hash(i) !== tombstone.hash || hint.identityLow(i) !== tombstone.identityLow) continue
          if (hint.identityHigh(i) !== tombstone.identityHigh || hint.sequence(i) >= tombstone.sequence) continue
          if (tombstone.pinnedBy.at(-1) !== data.number) tombstone.pinnedBy.push(data.number)
        }
      }
    }
    for (const tombstones of this.#tombstones) {
      for (const [offset, { pinnedBy }] of tombstones) {
        if (pinnedBy.length > 0) continue
        tombstones.delete(offset)
        this.tombstonesDropped++
      }
    }
  }

  /** Second pass. */
  copy(input: number, segment: SegmentBytes, offset: number, outputs: MergeOutputs): void {
    const live = this.#isLive(input, offset)
    const tombstone = this.#tombstones[input]!.get(offset)
    if (!live && tombstone === undefined) return
    const record = this.#record
    readRecord(segment, offset, record)
    const { keyBytes, keyStart, keyEnd } = record
    const expired = this.#isExpired()
    if (tombstone !== undefined) {
      record.kind = kindDelete
      record.expiresAt = 0
      record.valueEnd = record.valueStart
    }
    if (tombstone !== undefined || !expired) outputs.add(record, tombstone?.pinnedBy)
    if (!live) return
    const i = this.#count++
    this.#moves.slots[i] = slotOfKey(keyBytes, keyStart, keyEnd)
    this.#moves.hashes[i] = hashKey(keyBytes, keyStart, keyEnd)
    this.#moves.inputs[i] = input
    this.#moves.oldOffsets[i] = offset
    this.#moves.outputs[i] = expired ? -1 : outputs.index
    this.#moves.offsets[i] = expired ? 0 : outputs.offset
    this.#moves.sizes[i] = expired ? 0 : outputs.size
  }

  /** Sorted by slot. */
  moved(): MovedRecords {
    const starts = new Uint32Array(slotCount + 1)
    const { slots } = this.#moves
    const count = this.#count
    for (let i = 0; i < count; i++) starts[slots[i]! + 1]!++
    for (let slot = 1; slot < starts.length; slot++) starts[slot]! += starts[slot - 1]!
    const order = new Uint32Array(count)
    for (let i = 0; i < count; i++) order[starts[slots[i]!]!++] = i
    const target = movesOf(count)
    for (const name of Object.keys(target) as (keyof MovedRecords)[]) {
      const from = this.#moves[name]
      const to = target[name]
      for (let i = 0; i < count; i++) to[i] = from[order[i]!]!
    }
    return target
  }
}

/** Shared memory: the thread that reads it need not copy it first. */
function movesOf(count: number): MovedRecords {
  const words = () => new SharedArrayBuffer(4 * count)
  const halves = () => new SharedArrayBuffer(2 * count)
  return {
    slots: new Uint16Array(halves()),
    hashes: new Uint32Array(words()),
    inputs: new Uint16Array(halves()),
    oldOffsets: new Uint32Array(words()),
    outputs: new Int32Array(words()),
    offsets: new Uint32Array(words()),
    sizes: new Uint32Array(words()),
  }
}

function readHint(
  storage: Storage,
  path: string,
  data: MergeInput | MergeJob['others'][number]['data'],
  secret: readonly [number, number],
): HintReader {
  try {
    return new HintReader(readWhole(storage, path), data, path)
  } catch (error) {
    if (storage.size(path) !== undefined && !(error instanceof CorruptionError)) throw error
    const bytes = readWhole(storage, data.path)
    return new HintReader(buildHint({ bytes, view: viewOf(bytes) }, data, secret, data.path), data, path)
  }
}

/** The files a merge writes, one after the other. */
class MergeOutputs {
  readonly #storage: Storage
  readonly #job: MergeJob
  readonly #written: MergedFile[] = []
  readonly #begun: MergeOutputFile[] = []
  #file: OutputFile | undefined
  /** Of the record added last. */
  index = 0
  offset = 0
  /** As hints count it. */
  size = 0

  constructor(storage: Storage, job: MergeJob) {
    this.#storage = storage
    this.#job = job
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
    const output = this.#job.outputs[this.#begun.length]!
    this.#begun.push(output)
    const capacity = Math.max(segmentCapacityFor(align8(frameHeaderBytes + bytes)), this.#job.outputBytes)
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
    this.#written.push(this.#file.finish(this.#storage, this.#job.secret))
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
