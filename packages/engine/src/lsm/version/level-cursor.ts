import { FoundRecord } from '../found-record.js'
import type { RecordCursor } from '../record-cursor.js'
import type { DamageGuard } from '../table/table-cursor.js'
import { type LiveTable, tableFor } from './version.js'

/** The tables of one sorted level as one run; a table's cursor is made when the position enters it. */
export class LevelCursor extends FoundRecord implements RecordCursor {
  valid = false
  readonly #tables: readonly LiveTable[]
  readonly #guard: DamageGuard | undefined
  #table = -1
  #cursor: RecordCursor | undefined

  constructor(tables: readonly LiveTable[], guard?: DamageGuard) {
    super()
    this.#tables = tables
    this.#guard = guard
  }

  first(): void {
    this.#enter(0)?.first()
    this.#settleForward()
  }

  last(): void {
    this.#enter(this.#tables.length - 1)?.last()
    this.#settleBackward()
  }

  seek(source: Uint8Array, start: number, end: number): void {
    this.#enter(tableFor(this.#tables, source, start, end))?.seek(source, start, end)
    this.#settleForward()
  }

  next(): void {
    this.#cursor?.next()
    this.#settleForward()
  }

  previous(): void {
    this.#cursor?.previous()
    this.#settleBackward()
  }

  #enter(table: number): RecordCursor | undefined {
    if (table !== this.#table) {
      this.#table = table
      this.#cursor = this.#tables[table]?.reader.cursor('ahead', this.#guard)
    }
    return this.#cursor
  }

  #settleForward(): void {
    while (this.#cursor !== undefined && !this.#cursor.valid) this.#enter(this.#table + 1)?.first()
    this.#copyFields()
  }

  #settleBackward(): void {
    while (this.#cursor !== undefined && !this.#cursor.valid) this.#enter(this.#table - 1)?.last()
    this.#copyFields()
  }

  #copyFields(): void {
    const from = this.#cursor
    this.valid = from !== undefined
    if (from === undefined) return
    this.keyBytes = from.keyBytes
    this.keyStart = from.keyStart
    this.keyEnd = from.keyEnd
    this.valueBytes = from.valueBytes
    this.valueStart = from.valueStart
    this.valueEnd = from.valueEnd
    this.sequence = from.sequence
    this.kind = from.kind
    this.expiresAt = from.expiresAt
    this.tag = from.tag
    this.writtenAt = from.writtenAt
  }
}
