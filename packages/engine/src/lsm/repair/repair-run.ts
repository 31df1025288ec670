import { viewOf } from '../../bytes.js'
import { keptCopy } from '../../copy-bytes.js'
import { CorruptionError } from '../../errors.js'
import type { Storage } from '../../io/storage.js'
import { hashKey } from '../../key-hash.js'
import { nextTurn } from '../../long-operations.js'
import type { RepairReport } from '../../repair.js'
import { refuseUnfinished } from '../checkpoint-run.js'
import { runCompaction } from '../compaction/compaction-run.js'
import { TableOutput } from '../compaction/table-output.js'
import { overlap, spanOf } from '../compaction/table-span.js'
import { lockPath, segmentPath, tablePath } from '../file-names.js'
import { FoundRecord } from '../found-record.js'
import { ManifestLog } from '../manifest/manifest-log.js'
import type { ManifestState, TableMeta } from '../manifest/manifest-state.js'
import { Memtable } from '../memtable/memtable.js'
import { align8, frameHeaderBytes, framesStart, readSegmentHeader, readWatermark } from '../memtable/segment-format.js'
import { walkFrames } from '../memtable/segment-frames.js'
import { readRecord, recordEnd } from '../memtable/segment-record.js'
import { openTable } from '../open-table.js'
import { kindDeleteRange } from '../record-cursor.js'
import { BlockCache } from '../table/block-cache.js'
import type { TableOptions } from '../table/table-builder.js'
import { levelCount } from '../version/version.js'
import type { CompactJob } from '../worker/job.js'
import { moveToLost } from './lost-files.js'
import { salvageStore } from './manifest-salvage.js'
import { salvageFrames } from './segment-salvage.js'
import { otherManifests, storeFiles } from './store-files.js'
import { salvageTable } from './table-salvage.js'

export interface RepairOptions {
  tables: TableOptions
  tableBytes: number
  salt: () => number
}

/**
 * Makes a damaged directory one that opens, from whatever a checksum vouches for.
 *
 * - A table with damage gives its readable blocks to a new one at the same level.
 * - A segment with damage, and every later one, is written anew from its readable frames, so that their order stays.
 * - Without a whole manifest every table found counts; those that overlap are merged into one run, newest record first, since
 *   nobody knows their levels.
 *
 * Crash windows: nothing is removed or moved before the new manifest is in force; until then repair begins anew.
 */
export async function repairDirectory(
  storage: Storage,
  directory: string,
  options: RepairOptions,
): Promise<RepairReport> {
  const lock = storage.lock(lockPath(directory), 'exclusive')
  try {
    refuseUnfinished(storage, directory)
    return await new Repair(storage, directory, options).run()
  } finally {
    lock.release()
  }
}

class Repair {
  readonly #storage: Storage
  readonly #directory: string
  readonly #options: RepairOptions
  readonly #state: ManifestState
  readonly #whole: boolean
  readonly #dropped: ReadonlySet<number>
  readonly #report: RepairReport
  /** Damaged files, to be moved away. */
  readonly #lost: string[] = []
  /** Whole files whose content is elsewhere now. */
  readonly #replaced: string[] = []

  constructor(storage: Storage, directory: string, options: RepairOptions) {
    this.#storage = storage
    this.#directory = directory
    this.#options = options
    const { state, whole, dropped, damage } = salvageStore(storage, directory)
    this.#state = state
    this.#whole = whole
    this.#dropped = dropped
    this.#report = { damage, lost: [], recordsSalvaged: 0, manifestRebuilt: !whole }
  }

  async run(): Promise<RepairReport> {
    const { damage } = this.#report
    const tables = await this.#repairTables()
    const segments = this.#repairSegments()
    if (damage.length === 0) return this.#report
    const sequences = [...tables, ...segments].map(({ largestSequence }) => largestSequence)
    const manifest = ManifestLog.begin(this.#storage, this.#directory, {
      nextFile: this.#state.nextFile,
      sequence: Math.max(this.#state.sequence, ...sequences),
      tables: new Map(tables.map((table) => [table.number, table])),
      segments: new Map(segments.map((segment) => [segment.record.number, segment.record])),
      kept: new Map(),
    })
    manifest.close()
    if (!this.#whole) this.#lost.push(...otherManifests(this.#storage, this.#directory, manifest.path))
    this.#report.lost.push(...moveToLost(this.#storage, this.#directory, this.#lost))
    for (const path of this.#replaced) this.#storage.remove(path)
    this.#storage.syncDirectory(this.#directory)
    return this.#report
  }

  #newTable() {
    const number = this.#state.nextFile++
    return { number, path: tablePath(this.#directory, number) }
  }

  // Tables

  async #repairTables(): Promise<TableMeta[]> {
    const listed = this.#state.tables
    const numbers = this.#whole
      ? [...listed.keys()].filter((number) => this.#storage.size(tablePath(this.#directory, number)) !== undefined)
      : storeFiles(this.#storage, this.#directory)
          .filter(({ kind, number }) => kind === 'table' && !this.#dropped.has(number))
          .map(({ number }) => number)
    const tables: TableMeta[] = []
    for (const number of numbers.sort((a, b) => a - b)) {
      const sequenceShift = listed.get(number)?.sequenceShift ?? 0
      const table = this.#checkTable(number, sequenceShift) ?? this.#salvage(number, sequenceShift)
      if (table !== undefined) tables.push(table)
      await nextTurn()
    }
    return this.#whole ? tables : this.#mergeTables(tables)
  }

  /** What is known of a table without damage. */
  #checkTable(number: number, sequenceShift: number): TableMeta | undefined {
    const path = tablePath(this.#directory, number)
    const listed = this.#state.tables.get(number)
    try {
      const reader = openTable(this.#storage, path, number, new BlockCache(1 << 20))
      try {
        reader.verify()
        const { summary } = reader
        if (listed !== undefined && listed.digest !== summary.digest)
          throw new CorruptionError(path, 0, `it is table ${number} of another store, or of another time`)
        const smallestSequence = summary.smallestSequence + sequenceShift
        const largestSequence = summary.largestSequence + sequenceShift
        const shift = sequenceShift === 0 ? {} : { sequenceShift }
        // Copies: the keys of a summary may lie in the mapping.
        const smallestKey = new Uint8Array(summary.smallestKey)
        const largestKey = new Uint8Array(summary.largestKey)
        const meta = { ...listed, ...tableSummary(summary), smallestKey, largestKey, smallestSequence, largestSequence }
        return { ...meta, ...shift, number, level: listed?.level ?? 0 }
      } finally {
        reader.close()
      }
    } catch (error) {
      this.#note(path, error)
      return undefined
    }
  }

  #note(file: string, error: unknown): void {
    if (!(error instanceof CorruptionError)) throw error
    this.#report.damage.push({ file, offset: error.offset, message: error.message })
    this.#lost.push(file)
  }

  #salvage(number: number, sequenceShift: number): TableMeta | undefined {
    const path = tablePath(this.#directory, number)
    const table = this.#newTable()
    const file = this.#storage.open(path)
    const { ranges, records: salvaged } = salvageTable(file, number, sequenceShift)
    const output = new TableOutput(this.#storage, [table], Infinity, this.#options.tables, ranges)
    try {
      let records = 0
      for (const record of salvaged) {
        output.add(record, hashKey(record.keyBytes, record.keyStart, record.keyEnd))
        records++
      }
      this.#report.recordsSalvaged += records
      const [written] = output.finish()
      return written && { ...written, level: this.#state.tables.get(number)?.level ?? 0 }
    } catch (error) {
      output.abandon()
      throw error
    } finally {
      file.close()
    }
  }

  /** Tables whose levels nobody knows: what overlaps becomes one run, so that all of them fit into the last level. */
  #mergeTables(tables: readonly TableMeta[]): TableMeta[] {
    const { tables: options, tableBytes } = this.#options
    const level = levelCount - 1
    const placed = this.#placeInTime(tables)
    return groupsOf(placed).flatMap((group) => {
      const [only] = group
      if (group.length === 1) return [{ ...only!, level }]
      const bytes = group.reduce((sum, { fileBytes }) => sum + fileBytes, 0)
      const inputs = group.map(({ number, sequenceShift = 0 }) => ({
        number,
        path: tablePath(this.#directory, number),
        sequenceShift,
      }))
      const outputs = Array.from({ length: Math.ceil(bytes / tableBytes) + 2 }, () => this.#newTable())
      const job: CompactJob = {
        type: 'compact',
        inputs,
        outputs,
        tableBytes,
        bottom: true,
        now: 0,
        tables: options,
        held: [],
        deleted: [],
      }
      const result = runCompaction(this.#storage, job)
      this.#replaced.push(...inputs.map(({ path }) => path))
      return result.type === 'compact' ? result.written.map((table) => ({ ...table, level })) : []
    })
  }

  /** An ingested table whose sequence is not known is taken to be newer than the files that were there before it. */
  #placeInTime(tables: readonly TableMeta[]): TableMeta[] {
    let newest = 0
    return [...tables]
      .sort((a, b) => a.number - b.number)
      .map((table) => {
        const isIngested = table.largestSequence === 0
        if (isIngested) newest++
        else newest = Math.max(newest, table.largestSequence)
        if (!isIngested) return table
        return { ...table, smallestSequence: newest, largestSequence: newest, sequenceShift: newest }
      })
  }

  // Segments

  #repairSegments() {
    const listed = this.#state.segments
    const numbers = storeFiles(this.#storage, this.#directory)
      .filter(({ kind, number }) => {
        if (kind !== 'segment' || this.#dropped.has(number)) return false
        return !this.#whole || listed.has(number)
      })
      .map(({ number }) => number)
      .sort((a, b) => a - b)
    const found = numbers.map((number) => this.#checkSegment(number)).filter((segment) => segment !== undefined)
    // One that ends without its seal would cut off those behind it.
    const torn = found.findIndex(({ sealed }, i) => !sealed && i < found.length - 1)
    const damaged = found.findIndex(({ damaged }) => damaged)
    const first = Math.min(torn === -1 ? found.length : torn, damaged === -1 ? found.length : damaged)
    return [
      ...found.slice(0, first),
      ...found.slice(first).flatMap((segment) => {
        if (!segment.damaged) this.#replaced.push(segmentPath(this.#directory, segment.record.number))
        return this.#rewriteSegment(segment.record.number, segment.record.salt)
      }),
    ].filter(({ largestSequence, damaged }) => largestSequence > 0 && !damaged)
  }

  #checkSegment(number: number) {
    const path = segmentPath(this.#directory, number)
    const listed = this.#state.segments.get(number)
    const file = this.#storage.openSegment(path)
    try {
      const segment = { bytes: file.bytes, view: viewOf(file.bytes) }
      let salt = listed?.salt
      let headerDamage: unknown
      try {
        const header = readSegmentHeader(segment.view, file.bytes, path, number)
        if (header !== undefined && salt !== undefined && header.salt !== salt)
          throw new CorruptionError(path, 12, `it is segment ${number} of another store, or of another time`)
        if (header === undefined && listed?.end !== undefined)
          throw new CorruptionError(path, 0, `it is blank, but records up to ${listed.end} were synced`)
        salt ??= header?.salt
      } catch (error) {
        headerDamage = error
      }
      if (salt === undefined) {
        if (headerDamage !== undefined) this.#note(path, headerDamage)
        return undefined
      }
      let largestSequence = 0
      const record = new FoundRecord()
      const walk = walkFrames(segment, salt, path, listed?.end ?? file.capacity, (offset) => {
        readRecord(segment, offset, record)
        largestSequence = Math.max(largestSequence, record.sequence)
      })
      const hasHeader = file.capacity >= framesStart
      const watermark = hasHeader ? readWatermark(segment.view, file.bytes, salt).syncedEnd : framesStart
      const syncedEnd = listed?.end ?? watermark
      let furthest = walk.end
      for (const { end } of salvageFrames(segment, salt)) furthest = Math.max(furthest, align8(end))
      let damaged = headerDamage !== undefined
      if (damaged) this.#note(path, headerDamage)
      else if (walk.end < syncedEnd || walk.end < furthest) {
        damaged = true
        this.#note(path, new CorruptionError(path, walk.end, 'a record does not match its checksum'))
      }
      const known = { number, salt, ...(walk.sealed || listed?.end !== undefined ? { end: walk.end } : {}) }
      return { record: known, sealed: walk.sealed || listed?.end !== undefined, damaged, largestSequence }
    } finally {
      file.close()
    }
  }

  /** The readable frames of a segment in a new one, each as whole as it was. */
  #rewriteSegment(number: number, salt: number) {
    const source = this.#storage.openSegment(segmentPath(this.#directory, number))
    const newNumber = this.#state.nextFile++
    const newSalt = this.#options.salt()
    const path = segmentPath(this.#directory, newNumber)
    this.#storage.remove(path)
    const target = this.#storage.createSegment(path, Math.max(source.capacity, 8192))
    try {
      const segment = { bytes: source.bytes, view: viewOf(source.bytes) }
      const memtable = Memtable.create(newNumber, target, newSalt)
      const record = new FoundRecord()
      for (const frame of salvageFrames(segment, salt)) {
        memtable.openFrame()
        for (let at = frame.start + frameHeaderBytes; at < frame.end; at = recordEnd(segment.view, at)) {
          readRecord(segment, at, record)
          putAgain(memtable, record)
          this.#report.recordsSalvaged++
        }
        memtable.commitFrame()
      }
      memtable.seal()
      target.sync()
      this.#storage.syncDirectory(this.#directory)
      const { end, largestSequence } = memtable
      return [{ record: { number: newNumber, salt: newSalt, end }, sealed: true, damaged: false, largestSequence }]
    } finally {
      target.close()
      source.close()
    }
  }
}

function putAgain(memtable: Memtable, record: FoundRecord): void {
  const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd, kind, expiresAt, tag, writtenAt, sequence } =
    record
  if (kind === kindDeleteRange) {
    const upper = valueEnd === valueStart ? undefined : keptCopy(valueBytes, valueStart, valueEnd)
    memtable.deleteRange(keptCopy(keyBytes, keyStart, keyEnd), upper, sequence, [])
    return
  }
  const hash = hashKey(keyBytes, keyStart, keyEnd)
  memtable.put(
    hash,
    keyBytes,
    keyStart,
    keyEnd,
    valueBytes,
    valueStart,
    valueEnd,
    kind,
    expiresAt,
    tag,
    writtenAt,
    sequence,
  )
}

/** Tables by overlap: no key lies in two groups. */
function groupsOf(tables: readonly TableMeta[]): TableMeta[][] {
  const groups: TableMeta[][] = []
  for (const table of [...tables].sort((a, b) => Buffer.compare(spanOf(a).lower, spanOf(b).lower))) {
    const group = groups.at(-1)
    if (group?.some((other) => overlap(spanOf(other), spanOf(table)))) group.push(table)
    else groups.push([table])
  }
  return groups
}

/** Of all that a table says of itself, what the manifest has too. */
function tableSummary(summary: TableMeta | Omit<TableMeta, 'number' | 'level'>) {
  const { fileBytes, entries, tombstones, keyBytes, valueBytes, soonestExpiry, digest, rangeSpan } = summary
  const counts = { fileBytes, entries, tombstones, keyBytes, valueBytes, soonestExpiry, digest }
  return rangeSpan === undefined ? counts : { ...counts, rangeSpan }
}
