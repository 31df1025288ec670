import { keptCopy, ownedCopy } from '../copy-bytes.js'
import type { BorrowedRecord, Entry } from '../store.js'
import { kindPut, type RecordFields } from './record-cursor.js'

const noBytes = new Uint8Array(0)

/** The fields themselves: what a lookup fills (one is reused for every call), and what cursors are made of. */
export class FoundRecord implements RecordFields {
  keyBytes: Uint8Array = noBytes
  keyStart = 0
  keyEnd = 0
  valueBytes: Uint8Array = noBytes
  valueStart = 0
  valueEnd = 0
  sequence = 0
  kind = kindPut
  expiresAt = 0
  tag = 0
  writtenAt = 0

  /** Fills `borrowed`, and returns it. */
  lend(borrowed: BorrowedRecord): BorrowedRecord {
    borrowed.bytes = this.valueBytes
    borrowed.valueStart = this.valueStart
    borrowed.valueEnd = this.valueEnd
    borrowed.sequence = this.sequence
    borrowed.expiresAt = this.expiresAt
    borrowed.tag = this.tag
    borrowed.writtenAt = this.writtenAt
    return borrowed
  }

  /** What a scan has found. */
  take({ key, value, sequence, expiresAt, tag, writtenAt }: Entry): void {
    this.keyBytes = key
    this.keyStart = 0
    this.keyEnd = key.length
    this.valueBytes = value
    this.valueStart = 0
    this.valueEnd = value.length
    this.sequence = sequence
    this.kind = kindPut
    this.expiresAt = expiresAt
    this.tag = tag
    this.writtenAt = writtenAt
  }

  ownedValue(): Uint8Array {
    return ownedCopy(this.valueBytes, this.valueStart, this.valueEnd)
  }

  /** Under `key`, which was looked up: the record's own may lie in a block that is not decoded. */
  ownedEntry(key: Uint8Array): Entry {
    const { sequence, expiresAt, tag, writtenAt } = this
    return { key: keptCopy(key, 0, key.length), value: this.ownedValue(), sequence, expiresAt, tag, writtenAt }
  }
}
