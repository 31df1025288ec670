import { copyBytes } from '../../copy-bytes.js'
import type { RecordFields } from '../record-cursor.js'
import {
  blockEntriesMax,
  blockHeaderBytes,
  encodeRecordHeader,
  fingerprintOf,
  putUint48,
  recordHeaderBytesMax,
} from './block-layout.js'
import type { ValueCompressor } from './value-compressor.js'

/** Collects the records of one block; reused for the next of the same table. */
export class BlockBuilder {
  count = 0
  #records = Buffer.allocUnsafeSlow(8192)
  #recordsLength = 0
  #offsets = new Uint32Array(256)
  #fingerprints = new Uint8Array(256)
  #baseSequence = 0
  /** Of the whole table: the first `writtenAt` in it. */
  #baseWrittenAt = 0
  /** The last key lies in `#records`. */
  #keyStart = 0
  #keyEnd = 0

  /** Bytes of the finished block, a few too many before the first large offset. */
  get length(): number {
    return finishedBytes(this.count, this.#recordsLength)
  }

  /** Most bytes that the block can have after `fields` has been added. */
  lengthWith(fields: RecordFields): number {
    const keyBytes = fields.keyEnd - fields.keyStart
    const valueBytes = fields.valueEnd - fields.valueStart
    return finishedBytes(this.count + 1, this.#recordsLength + recordHeaderBytesMax + keyBytes + valueBytes)
  }

  /** 0: none of the records so far says when it was written. */
  get baseWrittenAt(): number {
    return this.#baseWrittenAt
  }

  get full(): boolean {
    return this.count === blockEntriesMax
  }

  /** With a compressor, the value is compressed where it pays. */
  add(fields: RecordFields, hash: number, compressor: ValueCompressor | undefined): void {
    const { valueBytes, valueStart, valueEnd } = fields
    const compressed = compressor?.compress(valueBytes, valueStart, valueEnd) ?? 0
    if (compressor === undefined || compressed === 0) {
      this.#addHeader(fields, hash, valueEnd - valueStart)
      this.#addValue(valueBytes, valueStart, valueEnd)
    } else {
      this.#addHeader(fields, hash, compressed)
      this.#addValue(compressor.output, 0, compressed)
    }
  }

  #addValue(bytes: Uint8Array, start: number, end: number): void {
    const at = this.#ensure(end - start)
    this.#recordsLength = copyBytes(bytes, start, end, this.#records, at)
  }

  /** Everything of a block with this one record but the value, which the caller writes behind it. */
  finishWithoutValue(fields: RecordFields, hash: number): Buffer {
    this.#addHeader(fields, hash, fields.valueEnd - fields.valueStart)
    return this.finish()
  }

  /** The block, in new memory; the builder is empty afterwards. */
  finish(): Buffer {
    const { count } = this
    const offsetBytes = offsetBytesFor(count, this.#recordsLength)
    const recordsStart = blockHeaderBytes + count * (1 + offsetBytes)
    const block = Buffer.allocUnsafe(recordsStart + this.#recordsLength)
    block[0] = count
    block[1] = count >>> 8
    block[2] = offsetBytes
    block[3] = 0
    putUint48(block, 4, this.#baseSequence)
    block.set(this.#fingerprints.subarray(0, count), blockHeaderBytes)
    let at = blockHeaderBytes + count
    for (let i = 0; i < count; i++) {
      const offset = recordsStart + this.#offsets[i]!
      block[at++] = offset
      block[at++] = offset >>> 8
      if (offsetBytes === 4) {
        block[at++] = offset >>> 16
        block[at++] = offset >>> 24
      }
    }
    block.set(this.#records.subarray(0, this.#recordsLength), recordsStart)
    this.count = 0
    this.#recordsLength = 0
    return block
  }

  /** The last key added: valid until the next `add`, also after `finish`. */
  get lastKey(): Uint8Array {
    return this.#records.subarray(this.#keyStart, this.#keyEnd)
  }

  #addHeader(fields: RecordFields, hash: number, storedBytes: number): void {
    if (this.count === 0) this.#baseSequence = fields.sequence
    if (this.#baseWrittenAt === 0) this.#baseWrittenAt = fields.writtenAt
    if (this.count === this.#offsets.length) this.#grow()
    this.#offsets[this.count] = this.#recordsLength
    this.#fingerprints[this.count] = fingerprintOf(hash)
    this.count++
    const start = this.#ensure(recordHeaderBytesMax + fields.keyEnd - fields.keyStart)
    const keyStart = encodeRecordHeader(
      this.#records,
      start,
      fields,
      storedBytes,
      this.#baseSequence,
      this.#baseWrittenAt,
    )
    this.#keyStart = keyStart
    this.#keyEnd = copyBytes(fields.keyBytes, fields.keyStart, fields.keyEnd, this.#records, keyStart)
    this.#recordsLength = this.#keyEnd
  }

  /** Room for `length` more bytes; returns where they go. */
  #ensure(length: number): number {
    const needed = this.#recordsLength + length
    if (needed > this.#records.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#records.length * 2))
      larger.set(this.#records.subarray(0, this.#recordsLength))
      this.#records = larger
    }
    return this.#recordsLength
  }

  #grow(): void {
    const offsets = new Uint32Array(this.#offsets.length * 2)
    offsets.set(this.#offsets)
    this.#offsets = offsets
    const fingerprints = new Uint8Array(offsets.length)
    fingerprints.set(this.#fingerprints)
    this.#fingerprints = fingerprints
  }
}

function offsetBytesFor(count: number, recordsLength: number): 2 | 4 {
  return blockHeaderBytes + count * 3 + recordsLength <= 65_536 ? 2 : 4
}

function finishedBytes(count: number, recordsLength: number): number {
  return blockHeaderBytes + count * (1 + offsetBytesFor(count, recordsLength)) + recordsLength
}
