import { FoundRecord } from '../found-record.js'
import type { RecordCursor } from '../record-cursor.js'
import { compareRecordKey, readRecord, type SegmentBytes } from './segment-record.js'

/** A cursor over records of a segment in the order of a sorted run of their offsets. */
export class RunCursor extends FoundRecord implements RecordCursor {
  valid = false
  readonly #segment: SegmentBytes
  readonly #run: Uint32Array
  #position = 0

  constructor(segment: SegmentBytes, run: Uint32Array) {
    super()
    this.#segment = segment
    this.#run = run
  }

  #moveTo(position: number): void {
    this.#position = position
    this.valid = position >= 0 && position < this.#run.length
    if (this.valid) readRecord(this.#segment, this.#run[position]!, this)
  }

  first(): void {
    this.#moveTo(0)
  }

  last(): void {
    this.#moveTo(this.#run.length - 1)
  }

  next(): void {
    this.#moveTo(this.#position + 1)
  }

  previous(): void {
    this.#moveTo(this.#position - 1)
  }

  seek(source: Uint8Array, start: number, end: number): void {
    this.#moveTo(lowerBound(this.#segment, this.#run, source, start, end))
  }
}

/** Position in a sorted run of the first record whose key is >= `source[start, end)`. */
export function lowerBound(
  segment: SegmentBytes,
  run: Uint32Array,
  source: Uint8Array,
  start: number,
  end: number,
): number {
  let low = 0
  let high = run.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareRecordKey(segment, run[middle]!, source, start, end) < 0) low = middle + 1
    else high = middle
  }
  return low
}
