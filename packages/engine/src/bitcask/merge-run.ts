import { dirname } from 'node:path'
import { viewOf } from '../bytes.js'
import { CorruptionError } from '../errors.js'
import { readWhole } from '../io/read-whole.js'
import type { Storage } from '../io/storage.js'
import { hashKey } from '../key-hash.js'
import { slotCount, slotOfKey } from '../key-slot.js'
import { FoundRecord } from '../lsm/found-record.js'
import { walkFrames } from '../lsm/memtable/segment-frames.js'
import { readRecord, type SegmentBytes } from '../lsm/memtable/segment-record.js'
import { kindDelete, kindPut } from '../lsm/record-cursor.js'
import { buildHint } from './hint-builder.js'
import { HintReader } from './hint-format.js'
import type { BitcaskJobResult, MergeInput, MergeJob, MovedRecords } from './job.js'
import { KeyedHash } from './keyed-hash.js'
import { MergeOutputs } from './merge-outputs.js'

/**
 * Copies what is live, in the order of the inputs. Every frame read is checked against its checksum; the outputs, their hints and
 * their names are on disk when it returns.
 *
 * A tombstone is kept while any other file that has older records lists its key; so is, as a tombstone, the memory of a record
 * that has expired. Crash windows: the outputs are strays until the manifest lists them, in the same edit that drops the inputs.
 */
export function runMerge(storage: Storage, job: MergeJob): BitcaskJobResult {
  for (const path of job.logs) syncLog(storage, path)
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
  /** Offsets of each input's live records, ascending. */
  readonly #live: readonly Uint32Array[]
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
    this.#live = job.inputs.map(({ live }) => joined(live).sort())
    this.#moves = movesOf(this.#live.reduce((sum, { length }) => sum + length, 0))
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
    const live = this.#live[input]!
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

function joined(pieces: readonly Uint32Array[]): Uint32Array {
  const whole = new Uint32Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return whole
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
