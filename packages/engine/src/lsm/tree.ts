import { type CaskadeError, CorruptionError } from '../errors.js'
import type { Storage } from '../io/storage.js'
import { segmentPath, tablePath } from './file-names.js'
import type { HeldSequences } from './held-sequences.js'
import type { ManifestLog } from './manifest/manifest-log.js'
import { type KeptSegmentRecord, type SegmentRecord, type TableMeta, tableRecord } from './manifest/manifest-state.js'
import { MappingBudget } from './mapping-budget.js'
import { openTable } from './open-table.js'
import { BlockCache } from './table/block-cache.js'
import type { TableReader } from './table/table-reader.js'
import { LiveTable, levelCount, Version } from './version/version.js'
import type { RemoveJob } from './worker/job.js'

/** Files to remove beyond this are a worker's: a caller that never yields could pile them up, and each takes the kernel up to 0.2 s. */
const obsoleteMax = 16

export interface TreeChange {
  sequence?: number
  addTables?: TableMeta[]
  dropTables?: number[]
  addSegments?: SegmentRecord[]
  dropSegments?: number[]
  addKept?: KeptSegmentRecord[]
  dropKept?: number[]
}

/** A change that is yet to be entered. */
export interface PreparedChange {
  readonly change: TreeChange
  readonly dropped: readonly number[]
  /** Bytes of the mapping budget that are its outputs' now. */
  readonly given: readonly { number: number; takeBack: () => void }[]
  readonly opened: { meta: TableMeta; reader: TableReader | undefined }[]
}

/** The set of live files: the manifest on disk, the version in memory, and the removal of what neither needs. */
export class Tree {
  readonly cache: BlockCache
  readonly #storage: Storage
  readonly #directory: string
  readonly #manifest: ManifestLog
  readonly #held: HeldSequences
  readonly #onFailure: (error: unknown) => void
  readonly #mapping: MappingBudget
  readonly #tables = new Map<number, LiveTable>()
  #version: Version
  /** Files to remove once the manifest that no longer lists them is on disk. */
  #obsolete: string[] = []
  #syncing: Promise<void> | undefined
  /** What a worker is removing. */
  #pile: RemoveJob | undefined
  #pileWaiters: (() => void)[] = []
  #holds = 0

  constructor(
    storage: Storage,
    directory: string,
    manifest: ManifestLog,
    cacheBytes: number,
    mappedBytes: number,
    held: HeldSequences,
    onFailure: (error: unknown) => void,
  ) {
    this.#storage = storage
    this.#directory = directory
    this.#manifest = manifest
    this.#held = held
    this.#onFailure = onFailure
    this.cache = new BlockCache(cacheBytes)
    this.#mapping = new MappingBudget(mappedBytes)
    try {
      for (const meta of manifest.state.tables.values()) this.#enter(meta, this.#openReader(meta))
    } catch (error) {
      for (const { reader } of this.#tables.values()) reader.close()
      throw error
    }
    this.#version = new Version(this.#tables.values(), held.sequences)
  }

  get version(): Version {
    return this.#version
  }

  /** Flushed segments that are kept for `changes`, oldest first. */
  get keptSegments(): Iterable<KeptSegmentRecord> {
    return this.#manifest.state.kept.values()
  }

  /** A number for a new file; it is not reused, in this process or after a crash that finds the file. */
  allocateFile(): number {
    return this.#manifest.allocateFile()
  }

  /**
   * One atomic change of the live files: in the manifest, then in memory. Files that were dropped are removed later, when
   * the manifest is synced. New files must be durable already. If it throws, nothing has changed.
   */
  apply(change: TreeChange): void {
    const prepared = this.prepare(change)
    this.openTables(prepared, Infinity)
    this.enter(prepared)
  }

  /**
   * `apply` in steps, for many tables, whose filters and indexes may have to come from the disk: then `openTables` until all are open, and `enter`; or
   * `abandon`. What throws has abandoned it.
   */
  prepare(change: TreeChange): PreparedChange {
    const moved = new Set(change.addTables?.map(({ number }) => number))
    const dropped = (change.dropTables ?? []).filter((number) => !moved.has(number))
    // First, or a compaction's outputs would find the budget taken by its inputs, and never be mapped.
    const given = dropped.map((number) => ({ number, takeBack: this.#mapping.give(number) }))
    return { change, dropped, given, opened: [] }
  }

  /** Opens new tables, one at least, until they are of so many bytes. Whether all are open. */
  openTables(prepared: PreparedChange, bytesMax: number): boolean {
    const { addTables = [] } = prepared.change
    const { opened } = prepared
    try {
      for (let bytes = 0; opened.length < addTables.length; ) {
        if (bytes >= bytesMax) return false
        const meta = addTables[opened.length]!
        opened.push({ meta, reader: this.#openReader(meta) })
        bytes += meta.fileBytes
      }
      return true
    } catch (error) {
      this.abandon(prepared)
      throw error
    }
  }

  abandon({ opened, given }: PreparedChange): void {
    for (const { meta, reader } of opened) {
      reader?.close()
      if (reader !== undefined) this.#mapping.give(meta.number)
    }
    for (const { number, takeBack } of given) if (this.#tables.has(number)) takeBack()
  }

  enter(prepared: PreparedChange): void {
    const { change, dropped, opened } = prepared
    try {
      this.#manifest.append({ ...change, addTables: change.addTables?.map(tableRecord) })
    } catch (error) {
      this.abandon(prepared)
      throw error
    }
    for (const { meta, reader } of opened) this.#enter(meta, reader)
    for (const number of dropped) {
      this.#tables.delete(number)
      this.cache.drop(number)
      this.#obsolete.push(tablePath(this.#directory, number))
    }
    const kept = new Set(change.addKept?.map(({ number }) => number))
    for (const number of [...(change.dropSegments ?? []), ...(change.dropKept ?? [])])
      if (!kept.has(number)) this.#obsolete.push(segmentPath(this.#directory, number))
    if (change.addTables !== undefined || change.dropTables !== undefined) {
      const old = this.#version
      this.#version = new Version(this.#tables.values(), this.#held.sequences)
      old.release()
    }
    this.#removeObsolete()
  }

  #openReader(meta: TableMeta): TableReader | undefined {
    if (this.#tables.has(meta.number)) return undefined
    const path = tablePath(this.#directory, meta.number)
    const mapped = this.#mapping.take(meta.number, meta.fileBytes, meta.level === levelCount - 1)
    let reader: TableReader | undefined
    try {
      reader = openTable(this.#storage, path, meta.number, this.cache, meta.sequenceShift, mapped)
      if (reader.summary.digest !== meta.digest)
        throw new CorruptionError(path, 0, `it is table ${meta.number} of another store, or of another time`)
      if (meta.checked) reader.trust()
      return reader
    } catch (error) {
      reader?.close()
      this.#mapping.give(meta.number)
      throw error
    }
  }

  /** A table that only changes its level keeps its reader. */
  #enter(meta: TableMeta, reader: TableReader | undefined): void {
    this.#tables.set(
      meta.number,
      reader === undefined ? this.#tables.get(meta.number)!.at(meta) : new LiveTable(meta, reader),
    )
  }

  /** Everything that `apply` did is durable when it resolves. */
  sync(): Promise<void> {
    return this.#manifest.syncLater()
  }

  /** Everything that `apply` did is durable, and dropped files are gone, when it resolves. */
  async settle(): Promise<void> {
    await this.#syncing
    while (this.#pile !== undefined) await new Promise<void>((resolve) => this.#pileWaiters.push(resolve))
    await this.#manifest.syncLater()
    if (this.#obsolete.length > 0) this.#syncing ??= this.#syncAndRemove()
    await this.#syncing
  }

  /** The job of removing what has piled up, for a worker; `undefined` if that is little. `endPile` must follow. */
  beginPile(): RemoveJob | undefined {
    if (this.#holds > 0 || this.#pile !== undefined || this.#obsolete.length <= obsoleteMax) return undefined
    this.#pile = { type: 'remove', manifest: this.#manifest.path, files: this.#obsolete.splice(0) }
    return this.#pile
  }

  endPile(error: CaskadeError | undefined): void {
    if (error !== undefined) this.#obsolete.unshift(...this.#pile!.files)
    this.#pile = undefined
    for (const resolve of this.#pileWaiters.splice(0)) resolve()
    if (error !== undefined && error.code !== 'CASKADE_ABORTED') this.#onFailure(error)
  }

  /** Until what is returned is called, no file is removed: for a job that opens files of this version by name. */
  holdFiles(): () => void {
    this.#holds++
    return () => {
      this.#holds--
      this.#removeObsolete()
    }
  }

  #removeObsolete(): void {
    if (this.#holds > 0 || this.#obsolete.length === 0 || this.#obsolete.length > obsoleteMax) return
    this.#syncing ??= this.#syncAndRemove()
  }

  async #syncAndRemove(): Promise<void> {
    try {
      while (this.#obsolete.length > 0 && this.#holds === 0) {
        const files = this.#obsolete.splice(0)
        await this.#manifest.syncLater()
        for (const file of files) await this.#storage.removeLater(file)
      }
    } catch (error) {
      this.#onFailure(error)
    } finally {
      this.#syncing = undefined
    }
  }

  close(): void {
    this.#version.release()
    this.#manifest.close()
  }
}
