import { keptCopy } from '../../copy-bytes.js'
import { FoundRecord } from '../found-record.js'
import type { RecordFields } from '../record-cursor.js'

const sampleBytes = 128 * 1024
/** What a record takes in a table besides key and value, at most: header, fingerprint, offset, its own block's header, index entry. */
const overheadBytes = 64

/** The first records of a table, held back until its dictionary is made of them. */
export class RecordSample {
  /** Keys, values, and the most that they can take besides. */
  bytes = 0
  readonly #records: { fields: FoundRecord; hash: number; order: number }[] = []

  get full(): boolean {
    return this.bytes >= sampleBytes
  }

  get lastKey(): Uint8Array | undefined {
    const last = this.#records.at(-1)
    return last?.fields.keyBytes
  }

  /** Copies the record. `hash` and `order` come back with it. */
  add(fields: RecordFields, hash: number, order: number): void {
    const copy = new FoundRecord()
    copy.keyBytes = keptCopy(fields.keyBytes, fields.keyStart, fields.keyEnd)
    copy.keyEnd = copy.keyBytes.length
    copy.valueBytes = keptCopy(fields.valueBytes, fields.valueStart, fields.valueEnd)
    copy.valueEnd = copy.valueBytes.length
    copy.sequence = fields.sequence
    copy.kind = fields.kind
    copy.expiresAt = fields.expiresAt
    copy.tag = fields.tag
    copy.writtenAt = fields.writtenAt
    this.#records.push({ fields: copy, hash, order })
    this.bytes += 2 * copy.keyEnd + copy.valueEnd + overheadBytes
  }

  values(): Uint8Array[] {
    return this.#records.map(({ fields }) => fields.valueBytes)
  }

  forEach(visit: (fields: RecordFields, hash: number, order: number) => void): void {
    for (const { fields, hash, order } of this.#records) visit(fields, hash, order)
  }
}
