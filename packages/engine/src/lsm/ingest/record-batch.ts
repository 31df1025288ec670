import { compareSlices, viewOf } from '../../bytes.js'
import { FoundRecord } from '../found-record.js'
import { kindPut } from '../record-cursor.js'

/**
 * Records on their way to a worker, in memory that both threads see: key length u32, value length u32, expiresAt f64,
 * writtenAt f64, tag u8, key, value, without alignment. Never stored.
 */
const headerBytes = 25
const firstBytes = 64 << 10

export class RecordBatch {
  #bytes = new Uint8Array(new SharedArrayBuffer(firstBytes))
  #view = viewOf(this.#bytes)
  #end = 0
  #lastKeyStart = 0
  #lastKeyEnd = 0

  get length(): number {
    return this.#end
  }

  /** What was added; shared, not copied. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#end)
  }

  get lastKey(): Uint8Array {
    return this.#bytes.subarray(this.#lastKeyStart, this.#lastKeyEnd)
  }

  /** Whether a key comes after the last one added. */
  precedes(key: Uint8Array): boolean {
    return compareSlices(this.#bytes, this.#lastKeyStart, this.#lastKeyEnd, key, 0, key.length) < 0
  }

  add(key: Uint8Array, value: Uint8Array, expiresAt: number, tag: number, writtenAt: number): void {
    const start = this.#end
    const keyStart = start + headerBytes
    const end = keyStart + key.length + value.length
    if (end > this.#bytes.length) this.#grow(end)
    const view = this.#view
    view.setUint32(start, key.length, true)
    view.setUint32(start + 4, value.length, true)
    view.setFloat64(start + 8, expiresAt, true)
    view.setFloat64(start + 16, writtenAt, true)
    view.setUint8(start + 24, tag)
    this.#bytes.set(key, keyStart)
    this.#bytes.set(value, keyStart + key.length)
    this.#lastKeyStart = keyStart
    this.#lastKeyEnd = keyStart + key.length
    this.#end = end
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(new SharedArrayBuffer(Math.max(needed, 2 * this.#bytes.length)))
    larger.set(this.bytes)
    this.#bytes = larger
    this.#view = viewOf(larger)
  }
}

/** Every record of a batch, in one object that is reused, with sequence 0. */
export function* batchRecords(bytes: Uint8Array): Generator<FoundRecord> {
  const view = viewOf(bytes)
  const record = new FoundRecord()
  record.keyBytes = bytes
  record.valueBytes = bytes
  record.kind = kindPut
  record.sequence = 0
  for (let at = 0; at < bytes.length; at = record.valueEnd) {
    record.keyStart = at + headerBytes
    record.keyEnd = record.keyStart + view.getUint32(at, true)
    record.valueStart = record.keyEnd
    record.valueEnd = record.keyEnd + view.getUint32(at + 4, true)
    record.expiresAt = view.getFloat64(at + 8, true)
    record.writtenAt = view.getFloat64(at + 16, true)
    record.tag = view.getUint8(at + 24)
    yield record
  }
}
