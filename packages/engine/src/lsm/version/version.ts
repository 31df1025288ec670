import { compareSlices } from '../../bytes.js'
import type { KeyInterval } from '../../scan-range.js'
import type { TableMeta } from '../manifest/manifest-state.js'
import { RangeTombstones } from '../range/range-tombstones.js'
import type { RecordCursor, RecordFields } from '../record-cursor.js'
import type { DamageGuard } from '../table/table-cursor.js'
import type { TableReader } from '../table/table-reader.js'
import { LevelCursor } from './level-cursor.js'

export const levelCount = 7

/** An open table's reader, closed when the last version that has it is released. */
class SharedReader {
  readonly reader: TableReader
  #references = 0

  constructor(reader: TableReader) {
    this.reader = reader
  }

  retain(): void {
    this.#references++
  }

  release(): void {
    if (--this.#references === 0) this.reader.close()
  }
}

/** A table at its place in the tree. */
export class LiveTable {
  readonly meta: TableMeta
  readonly reader: TableReader
  readonly #shared: SharedReader

  constructor(meta: TableMeta, reader: TableReader | SharedReader) {
    this.meta = meta
    this.#shared = reader instanceof SharedReader ? reader : new SharedReader(reader)
    this.reader = this.#shared.reader
  }

  /** The same table at another level. */
  at(meta: TableMeta): LiveTable {
    return new LiveTable(meta, this.#shared)
  }

  retain(): void {
    this.#shared.retain()
  }

  release(): void {
    this.#shared.release()
  }
}

/**
 * An immutable set of tables: level 0 newest first, with ranges that overlap; below it each level sorted by key, without
 * overlap. Whoever reads over more than one call retains it; its tables stay open until it is released.
 */
export class Version {
  readonly levels: readonly (readonly LiveTable[])[]
  /** Deleted ranges of all tables. */
  readonly ranges: RangeTombstones
  /** Some table is read with pread. */
  readonly anyUnmapped: boolean
  #references = 1

  /** Of deleted ranges it knows only what the moments that are `held`, and now, can see. */
  constructor(tables: Iterable<LiveTable>, held: readonly number[]) {
    const levels: LiveTable[][] = Array.from({ length: levelCount }, () => [])
    for (const table of tables) {
      table.retain()
      levels[table.meta.level]!.push(table)
    }
    levels[0]!.sort((a, b) => b.meta.largestSequence - a.meta.largestSequence || b.meta.number - a.meta.number)
    for (const level of levels.slice(1)) {
      level.sort((a, b) => {
        const x = a.meta.smallestKey
        const y = b.meta.smallestKey
        return compareSlices(x, 0, x.length, y, 0, y.length)
      })
    }
    this.levels = levels
    const ranges = levels.flatMap((level) => level.map(({ reader }) => reader.ranges))
    this.ranges = RangeTombstones.merged(ranges, held)
    this.anyUnmapped = levels.some((level) => level.some(({ reader }) => !reader.mapped))
  }

  retain(): this {
    this.#references++
    return this
  }

  release(): void {
    if (--this.#references === 0) for (const table of this.tables()) table.release()
  }

  *tables(): Generator<LiveTable> {
    for (const level of this.levels) yield* level
  }

  /** Newest record of a key, tombstones included, deleted ranges the caller's to look at: level 0 from the newest on, then one table a level. */
  find(
    hash: number,
    source: Uint8Array,
    start: number,
    end: number,
    sequenceMax: number,
    target: RecordFields,
  ): boolean {
    const levels = this.levels
    const level0 = levels[0]!
    for (let i = 0; i < level0.length; i++) {
      if (level0[i]!.reader.find(hash, source, start, end, sequenceMax, target)) return true
    }
    for (let level = 1; level < levels.length; level++) {
      const tables = levels[level]!
      if (tables.length === 0) continue
      const table = tables[tableFor(tables, source, start, end)]
      if (table?.reader.find(hash, source, start, end, sequenceMax, target)) return true
    }
    return false
  }

  /** Some block of some table may have to come from the disk. */
  get anyCold(): boolean {
    for (const level of this.levels) for (const { reader } of level) if (reader.anyCold) return true
    return false
  }

  /**
   * Ahead of `find`: brings the block nearer that most likely holds the key, of the first table whose filter admits it.
   * `undefined`: there is nothing to wait for. To be called on a retained version.
   */
  fetch(hash: number, source: Uint8Array, start: number, end: number): Promise<void> | undefined {
    let fetched: ReturnType<TableReader['fetch']> = 'absent'
    const [level0, ...deeper] = this.levels
    for (let i = 0; fetched === 'absent' && i < level0!.length; i++)
      fetched = level0![i]!.reader.fetch(hash, source, start, end)
    for (let i = 0; fetched === 'absent' && i < deeper.length; i++)
      fetched = deeper[i]![tableFor(deeper[i]!, source, start, end)]?.reader.fetch(hash, source, start, end) ?? 'absent'
    return typeof fetched === 'string' ? undefined : fetched
  }

  /** Bytes of the tables that hold the range, to a block at each of its ends in each table. */
  approximateSize(interval: KeyInterval): number {
    let bytes = 0
    for (const { reader } of this.tables()) bytes += reader.approximateSize(interval)
    return bytes
  }

  /** Sorted runs that together are the version. */
  cursors(guard?: DamageGuard): RecordCursor[] {
    const cursors: RecordCursor[] = this.levels[0]!.map((table) => table.reader.cursor('ahead', guard))
    for (const level of this.levels.slice(1)) if (level.length > 0) cursors.push(new LevelCursor(level, guard))
    return cursors
  }
}

/** Index of the first table (of a sorted level) whose largest key is >= the key. */
export function tableFor(tables: readonly LiveTable[], source: Uint8Array, start: number, end: number): number {
  let low = 0
  let high = tables.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const largest = tables[middle]!.meta.largestKey
    if (compareSlices(largest, 0, largest.length, source, start, end) < 0) low = middle + 1
    else high = middle
  }
  return low
}
