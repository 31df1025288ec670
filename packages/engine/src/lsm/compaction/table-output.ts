import { dirname } from 'node:path'
import { keptCopy } from '../../copy-bytes.js'
import type { Storage } from '../../io/storage.js'
import { hashKey } from '../../key-hash.js'
import { FoundRecord } from '../found-record.js'
import { openTable } from '../open-table.js'
import type { RangeTombstones } from '../range/range-tombstones.js'
import { kindDelete, type RecordFields } from '../record-cursor.js'
import { BlockCache } from '../table/block-cache.js'
import { TableBuilder, type TableOptions } from '../table/table-builder.js'
import type { OutputFile, WrittenTable } from '../worker/job.js'

/** Writes a sorted run of records into as many tables as it takes. Each is on disk when `finish` returns. */
export class TableOutput {
  readonly #storage: Storage
  readonly #files: readonly OutputFile[]
  readonly #tableBytes: number
  readonly #options: TableOptions
  readonly #written: WrittenTable[] = []
  #current: { builder: TableBuilder; finish: (ranges: RangeTombstones) => void; abandon: () => void } | undefined
  #started = 0
  /** Those of the next table and of all after it. */
  #ranges: RangeTombstones

  constructor(
    storage: Storage,
    files: readonly OutputFile[],
    tableBytes: number,
    options: TableOptions,
    ranges: RangeTombstones,
  ) {
    this.#storage = storage
    this.#files = files
    this.#tableBytes = tableBytes
    this.#options = options
    this.#ranges = ranges
  }

  /**
   * Call before the first record of a key. A table's range tombstones end where the next one's records begin, so that tables
   * of a level do not overlap.
   */
  splitIfFull({ keyBytes, keyStart, keyEnd }: RecordFields): void {
    const { builder, finish } = this.#current ?? {}
    if (builder === undefined || builder.estimatedBytes < this.#tableBytes || this.#started >= this.#files.length)
      return
    const next = keptCopy(keyBytes, keyStart, keyEnd)
    finish?.(this.#ranges.within(undefined, next))
    this.#ranges = this.#ranges.within(next, undefined)
  }

  add(record: RecordFields, hash: number): void {
    this.#current ??= this.#start()
    this.#current.builder.add(record, hash)
  }

  finish(): WrittenTable[] {
    const range = this.#ranges.fragments[0]
    // A table holds at least one record: what the range deletes anyway.
    if (this.#current === undefined && range !== undefined)
      this.add(tombstone(range.lower, range.sequences[0]!), hashKey(range.lower, 0, range.lower.length))
    this.#current?.finish(this.#ranges)
    // Their names too: a manifest that outlives a power cut must not list what did not.
    const path = this.#files[0]?.path
    if (this.#written.length > 0 && path !== undefined) this.#storage.syncDirectory(dirname(path))
    return this.#written
  }

  /**
   * Whether every block of a table was found sound in the page cache: before what it was made from is dropped, and so that no read has to. Throws if
   * one is not. (As RocksDB's `verify_output_flags`.) Where blocks are not mapped, each read checks its own.
   */
  #readBack(path: string, number: number): boolean {
    if (!this.#storage.mapped) return false
    const reader = openTable(this.#storage, path, number, new BlockCache(0))
    try {
      reader.check()
    } finally {
      reader.close()
    }
    return true
  }

  /** After an error: closes and removes what was begun or written. */
  abandon(): void {
    this.#current?.abandon()
    for (const file of this.#files.slice(0, this.#started)) this.#storage.remove(file.path)
  }

  #start() {
    const { path, number } = this.#files[this.#started++]!
    this.#storage.remove(path)
    const file = this.#storage.create(path)
    const builder = new TableBuilder(file, this.#options, number)
    return {
      builder,
      finish: (ranges: RangeTombstones) => {
        const summary = builder.finish(ranges)
        file.sync()
        file.close()
        const checked = this.#readBack(path, number)
        const { olderVersions } = builder
        this.#written.push({ ...summary, number, checked, ...(olderVersions > 0 && { olderVersions }) })
        this.#current = undefined
      },
      abandon: () => file.close(),
    }
  }
}

function tombstone(key: Uint8Array, sequence: number): RecordFields {
  return Object.assign(new FoundRecord(), { keyBytes: key, keyEnd: key.length, kind: kindDelete, sequence })
}
