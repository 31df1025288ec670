import type { TableSummary } from '../table/table-builder.js'

/** A live table: where it is in the tree, and what is known of it without opening it. */
export interface TableMeta extends TableSummary {
  number: number
  level: number
  /** Records that only snapshots saw when the table was written; absent: none. */
  olderVersions?: number
  /** Of an ingested table: added to every sequence in the file. `smallestSequence` and `largestSequence` have it in them. */
  sequenceShift?: number
  /** This process has written it, and read it back. */
  checked?: boolean
}

/** `TableMeta` as JSON has it. */
export interface TableRecord extends Omit<TableMeta, 'smallestKey' | 'largestKey' | 'rangeSpan' | 'checked'> {
  smallestKey: string
  largestKey: string
  rangeSpan?: { lower: string; upper?: string }
}

/** A listed segment. `end` is where its records end, if it was recovered: those were synced, so none may be missing. */
export interface SegmentRecord {
  number: number
  /** The one in its header: a segment of another store that came to have this number has another. */
  salt: number
  end?: number
  /** Of the Bitcask backend: it was written by a merge. */
  merged?: boolean
}

/** What a manifest of the Bitcask backend has besides: its presence tells the backends apart. */
export interface BitcaskFacts {
  /** Key of the hash that stands for keys in hint files. */
  secret: readonly [number, number]
}

/** Of the Bitcask backend: the keydir of exactly these segments, written when the store was closed. */
export interface KeydirRecord {
  number: number
  /** The one in its header. */
  salt: number
}

/** A flushed segment that is kept for `changes`: whole, and on disk. */
export interface KeptSegmentRecord {
  number: number
  salt: number
  end: number
  /** Of the file. */
  bytes: number
  smallestSequence: number
  largestSequence: number
}

/** One atomic change of the set of live files. */
export interface ManifestEdit {
  /** Numbers below this may have been used for files. */
  nextFile?: number
  /** No write up to this sequence is newer than the tables named so far. */
  sequence?: number
  addTables?: TableRecord[]
  dropTables?: number[]
  addSegments?: SegmentRecord[]
  dropSegments?: number[]
  /** Of those dropped. */
  addKept?: KeptSegmentRecord[]
  dropKept?: number[]
  bitcask?: BitcaskFacts
  /** Always in the last edit: whoever opens the store for writing begins a manifest without it. */
  keydir?: KeydirRecord
}

export interface ManifestState {
  nextFile: number
  sequence: number
  tables: Map<number, TableMeta>
  segments: Map<number, SegmentRecord>
  /** Oldest first. */
  kept: Map<number, KeptSegmentRecord>
  bitcask?: BitcaskFacts
  keydir?: KeydirRecord
}

export const emptyState = (): ManifestState => ({
  nextFile: 1,
  sequence: 0,
  tables: new Map(),
  segments: new Map(),
  kept: new Map(),
})

const toText = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')
const toBytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64'))

export function tableRecord(meta: TableMeta): TableRecord {
  const { rangeSpan, checked: _, ...rest } = meta
  const record = { ...rest, smallestKey: toText(meta.smallestKey), largestKey: toText(meta.largestKey) }
  if (rangeSpan === undefined) return record
  const { lower, upper } = rangeSpan
  return { ...record, rangeSpan: { lower: toText(lower), ...(upper && { upper: toText(upper) }) } }
}

function tableMeta(record: TableRecord): TableMeta {
  const { rangeSpan, ...rest } = record
  const meta = { ...rest, smallestKey: toBytes(record.smallestKey), largestKey: toBytes(record.largestKey) }
  if (rangeSpan === undefined) return meta
  const { lower, upper } = rangeSpan
  return { ...meta, rangeSpan: { lower: toBytes(lower), upper: upper === undefined ? undefined : toBytes(upper) } }
}

export function applyEdit(state: ManifestState, edit: ManifestEdit): void {
  state.nextFile = Math.max(state.nextFile, edit.nextFile ?? 0)
  state.sequence = Math.max(state.sequence, edit.sequence ?? 0)
  for (const number of edit.dropTables ?? []) state.tables.delete(number)
  for (const record of edit.addTables ?? []) state.tables.set(record.number, tableMeta(record))
  for (const number of edit.dropSegments ?? []) state.segments.delete(number)
  for (const segment of edit.addSegments ?? []) state.segments.set(segment.number, segment)
  for (const number of edit.dropKept ?? []) state.kept.delete(number)
  for (const segment of edit.addKept ?? []) state.kept.set(segment.number, segment)
  if (edit.bitcask !== undefined) state.bitcask = edit.bitcask
  if (edit.keydir !== undefined) state.keydir = edit.keydir
}

/** The whole state as one edit, with which a new manifest begins. */
export function snapshotEdit(state: ManifestState): ManifestEdit {
  return {
    nextFile: state.nextFile,
    sequence: state.sequence,
    addTables: [...state.tables.values()].map(tableRecord),
    addSegments: [...state.segments.values()],
    ...(state.kept.size > 0 && { addKept: [...state.kept.values()] }),
    ...(state.bitcask && { bitcask: state.bitcask }),
  }
}
