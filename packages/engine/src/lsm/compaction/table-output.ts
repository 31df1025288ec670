import { dirname } from 'node:path'
import type { Storage } from '../../io/storage.js'
import type { RecordFields } from '../record-cursor.js'
import { TableBuilder, type TableOptions } from '../table/table-builder.js'
import type { OutputFile, WrittenTable } from '../worker/job.js'

/** Writes a sorted run of records into as many tables as it takes. Each is on disk when `finish` returns. */
export class TableOutput {
  readonly #storage: Storage
  readonly #files: readonly OutputFile[]
  readonly #tableBytes: number
  readonly #options: TableOptions
  readonly #written: WrittenTable[] = []
  #current: { builder: TableBuilder; finish: () => void; abandon: () => void } | undefined
  #started = 0

  constructor(storage: Storage, files: readonly OutputFile[], tableBytes: number, options: TableOptions) {
    this.#storage = storage
    this.#files = files
    this.#tableBytes = tableBytes
    this.#options = options
  }

  /** Call between two keys, never between two records of one key. */
  splitIfFull(): void {
    const { builder, finish } = this.#current ?? {}
    if (builder !== undefined && builder.estimatedBytes >= this.#tableBytes && this.#started < this.#files.length)
      finish?.()
  }

  add(record: RecordFields, hash: number): void {
    this.#current ??= this.#start()
    this.#current.builder.add(record, hash)
  }

  finish(): WrittenTable[] {
    this.#current?.finish()
    // Their names too: a manifest that outlives a power cut must not list what did not.
    const path = this.#files[0]?.path
    if (this.#written.length > 0 && path !== undefined) this.#storage.syncDirectory(dirname(path))
    return this.#written
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
      finish: () => {
        const summary = builder.finish()
        file.sync()
        file.close()
        this.#written.push({ ...summary, number })
        this.#current = undefined
      },
      abandon: () => file.close(),
    }
  }
}
