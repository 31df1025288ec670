import { viewOf } from '../bytes.js'
import { CorruptionError } from '../errors.js'
import { hashKey } from '../key-hash.js'
import { slotCount, slotOfKey } from '../key-slot.js'
import {
  align8,
  flagDelete,
  flagExpires,
  flagsAt,
  frameHeaderBytes,
  keyLengthAt,
  recordHeaderBytes,
} from '../lsm/memtable/segment-format.js'
import { walkFrames } from '../lsm/memtable/segment-frames.js'
import { recordEnd, recordKeyStart, recordSequence, type SegmentBytes } from '../lsm/memtable/segment-record.js'
import { addToSummary, type DataSummary, emptySummary } from './data-summary.js'
import {
  finishHint,
  type HintEntry,
  type HintOwner,
  hintEntryBytes,
  hintHeaderBytes,
  writeHintEntry,
} from './hint-format.js'
import { KeyedHash } from './keyed-hash.js'

/** Collects what a hint says of each record, then groups it by slot. */
export class HintBuilder {
  readonly #hash: KeyedHash
  #rows: DataView = new DataView(new ArrayBuffer(1024 * hintEntryBytes))
  readonly #perSlot = new Uint32Array(slotCount + 1)
  #count = 0
  readonly summary: DataSummary = emptySummary()
  readonly #entry: HintEntry = {
    slot: 0,
    hash: 0,
    identityLow: 0,
    identityHigh: 0,
    offset: 0,
    tombstone: false,
    sequence: 0,
    size: 0,
  }

  constructor(secret: readonly [number, number]) {
    this.#hash = new KeyedHash(secret)
  }

  /** The record at `position` of `segment`, which is at `offset` of the data file. */
  add({ bytes, view }: SegmentBytes, position: number, offset: number): void {
    const keyStart = recordKeyStart(view, position)
    const keyEnd = keyStart + view.getUint16(position + keyLengthAt, true)
    this.#hash.update(bytes, keyStart, keyEnd)
    const entry = this.#entry
    entry.slot = slotOfKey(bytes, keyStart, keyEnd)
    entry.hash = hashKey(bytes, keyStart, keyEnd)
    entry.identityLow = this.#hash.low
    entry.identityHigh = this.#hash.high & 0xffff
    entry.offset = offset
    entry.tombstone = (view.getUint8(position + flagsAt) & flagDelete) !== 0
    entry.sequence = recordSequence(view, position)
    entry.size = align8(frameHeaderBytes + recordEnd(view, position) - position)
    if ((this.#count + 1) * hintEntryBytes > this.#rows.byteLength) this.#grow()
    writeHintEntry(this.#rows, this.#count++ * hintEntryBytes, entry)
    this.#perSlot[entry.slot + 1]!++
    const expires = (view.getUint8(position + flagsAt) & flagExpires) !== 0
    const expiresAt = expires ? view.getFloat64(position + recordHeaderBytes, true) : 0
    addToSummary(this.summary, entry.sequence, entry.tombstone, entry.size, expiresAt)
  }

  /** The hint file. */
  finish(owner: HintOwner): Uint8Array {
    const starts = this.#perSlot
    for (let slot = 1; slot < starts.length; slot++) starts[slot]! += starts[slot - 1]!
    const bytes = new Uint8Array(hintHeaderBytes + this.#count * hintEntryBytes + 4)
    const words = new Uint32Array(bytes.buffer, hintHeaderBytes, this.#count * (hintEntryBytes / 4))
    const rows = new Uint32Array(this.#rows.buffer)
    const wordsPerEntry = hintEntryBytes / 4
    for (let i = 0; i < this.#count; i++) {
      const from = i * wordsPerEntry
      const to = starts[rows[from + 2]! >>> 16]!++ * wordsPerEntry
      for (let word = 0; word < wordsPerEntry; word++) words[to + word] = rows[from + word]!
    }
    finishHint(bytes, owner, this.summary, this.#count)
    return bytes
  }

  #grow(): void {
    const larger = new Uint8Array(2 * this.#rows.byteLength)
    larger.set(new Uint8Array(this.#rows.buffer))
    this.#rows = viewOf(larger)
  }
}

/** The hint of a data file, from its records; every frame is checked against its checksum. */
export function buildHint(
  segment: SegmentBytes,
  owner: HintOwner,
  secret: readonly [number, number],
  file: string,
): Uint8Array {
  const builder = new HintBuilder(secret)
  const walk = walkFrames(segment, owner.salt, file, owner.end, (offset) => builder.add(segment, offset, offset))
  if (walk.end < owner.end) throw new CorruptionError(file, walk.end, 'a record does not match its checksum')
  return builder.finish(owner)
}
