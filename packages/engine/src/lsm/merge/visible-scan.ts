import { compareSlices, sameSlices } from '../../bytes.js'
import { copyBytes, ownedCopy } from '../../copy-bytes.js'
import type { KeyInterval } from '../../scan-range.js'
import type { Entry } from '../../store.js'
import { kindPut, type RecordFields } from '../record-cursor.js'
import type { MergeCursor } from './merge-cursor.js'

export interface VisibleScanOptions {
  range: KeyInterval
  reverse: boolean
  limit: number
  keysOnly: boolean
  /** Newer records are not seen. */
  sequenceMax: number
  /** Records that expire at or before this are not seen. */
  now: number
  /** Called once, at the end or on an early `break`. */
  release: () => void
  /** Whether the record lies in a range that was deleted after it; absent: none was. */
  isDeleted?: ((record: RecordFields) => boolean) | undefined
}

const noBytes = new Uint8Array(0)

/** From a merge of all runs to what a user sees: of each key the newest record, unless that is a tombstone or expired. */
export class VisibleScan implements Iterator<Entry, undefined> {
  readonly #merge: MergeCursor
  readonly #options: VisibleScanOptions
  #left: number
  #started = false
  #released = false
  /** Key of the records last looked at. */
  #key = new Uint8Array(256)
  #keyLength = -1

  constructor(merge: MergeCursor, options: VisibleScanOptions) {
    this.#merge = merge
    this.#options = options
    this.#left = options.limit
  }

  next(): IteratorResult<Entry, undefined> {
    if (this.#released) return { done: true, value: undefined }
    try {
      const entry = this.#left > 0 ? this.#step() : undefined
      if (entry === undefined) return this.return()
      this.#left--
      return { done: false, value: entry }
    } catch (error) {
      this.return()
      throw error
    }
  }

  return(): IteratorResult<Entry, undefined> {
    this.release()
    return { done: true, value: undefined }
  }

  /** Lets go of what it reads. */
  release(): void {
    if (this.#released) return
    this.#released = true
    this.#options.release()
  }

  #step(): Entry | undefined {
    const { range, reverse } = this.#options
    if (!this.#started) {
      this.#started = true
      this.#merge.start(reverse ? range.upper : range.lower)
    }
    return reverse ? this.#stepReverse() : this.#stepForward()
  }

  #stepForward(): Entry | undefined {
    const { range, sequenceMax } = this.#options
    for (;;) {
      const record = this.#merge.current
      if (record === undefined || (range.upper !== undefined && !isBefore(record, range.upper))) return undefined
      if (record.sequence > sequenceMax || this.#isSameKey(record)) {
        this.#merge.next()
        continue
      }
      this.#rememberKey(record)
      const entry = this.#isVisible(record) ? this.#own(record) : undefined
      this.#merge.next()
      if (entry !== undefined) return entry
    }
  }

  /** Backwards a key's records come oldest first, so the last one at or below `sequenceMax` counts. */
  #stepReverse(): Entry | undefined {
    const { range, sequenceMax } = this.#options
    for (;;) {
      const first = this.#merge.current
      if (first === undefined || (range.lower !== undefined && isBefore(first, range.lower))) return undefined
      this.#rememberKey(first)
      let entry: Entry | undefined
      for (let record = this.#merge.current; record !== undefined && this.#isSameKey(record); ) {
        if (record.sequence <= sequenceMax) entry = this.#isVisible(record) ? this.#own(record) : undefined
        this.#merge.next()
        record = this.#merge.current
      }
      if (entry !== undefined) return entry
    }
  }

  #isVisible(record: RecordFields): boolean {
    const { now, isDeleted } = this.#options
    return (
      record.kind === kindPut && (record.expiresAt === 0 || record.expiresAt > now) && !(isDeleted?.(record) ?? false)
    )
  }

  #own(record: RecordFields): Entry {
    return {
      key: ownedCopy(record.keyBytes, record.keyStart, record.keyEnd),
      value: this.#options.keysOnly ? noBytes : ownedCopy(record.valueBytes, record.valueStart, record.valueEnd),
      sequence: record.sequence,
      expiresAt: record.expiresAt,
      tag: record.tag,
      writtenAt: record.writtenAt,
    }
  }

  #isSameKey(record: RecordFields): boolean {
    return sameSlices(record.keyBytes, record.keyStart, record.keyEnd, this.#key, 0, this.#keyLength)
  }

  #rememberKey(record: RecordFields): void {
    this.#keyLength = record.keyEnd - record.keyStart
    if (this.#keyLength > this.#key.length) this.#key = new Uint8Array(2 * this.#keyLength)
    copyBytes(record.keyBytes, record.keyStart, record.keyEnd, this.#key, 0)
  }
}

function isBefore(record: RecordFields, key: Uint8Array): boolean {
  return compareSlices(record.keyBytes, record.keyStart, record.keyEnd, key, 0, key.length) < 0
}
