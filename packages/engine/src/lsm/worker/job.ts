import type { BitcaskJob, BitcaskJobResult } from '../../bitcask/job.js'
import type { RangeFragment } from '../range/range-tombstones.js'
import type { TableOptions, TableSummary } from '../table/table-builder.js'

/** Work for a background thread: plain data, so that it can be posted to a worker, or run in place by a test. */
export type Job =
  | FlushJob
  | CompactJob
  | VerifyJob
  | CopyJob
  | BuildJob
  | CreateJob
  | AllocateJob
  | RemoveJob
  | BitcaskJob

/** Writes the records of a sealed segment as one table. */
export interface FlushJob {
  type: 'flush'
  segment: string
  segmentNumber: number
  /** Records end here. */
  end: number
  /** Of the memtable's index: the newest record of each key. Shared with the thread that sealed it. */
  slots: Uint32Array
  ranges: readonly RangeFragment[]
  /** Moments, ascending, that are still read at: what they see is kept. */
  held: readonly number[]
  output: OutputFile
  tables: TableOptions
  /** The segment is to outlive its flush: it must be on disk. */
  keep: boolean
}

/** Merges tables into new ones. */
export interface CompactJob {
  type: 'compact'
  inputs: InputTable[]
  /** Names for the tables it makes, more than enough. */
  outputs: OutputFile[]
  tableBytes: number
  /** Nothing older exists below the inputs: tombstones and expired records are dropped. */
  bottom: boolean
  /** Moments, ascending, that are still read at: what they see is kept. */
  held: readonly number[]
  /** Deleted ranges, of other tables too: a damaged block that they cover is not missed. */
  deleted: readonly RangeFragment[]
  now: number
  tables: TableOptions
  /** Not 0: nobody wants the result any more. Shared with the thread that decides it. */
  aborted?: Int32Array
}

/** A sealed segment of the log: the salt in its header, and where its records end. */
export interface SegmentPlace {
  path: string
  salt: number
  end: number
}

/** Reads every byte of the files against its checksums. */
export interface VerifyJob {
  type: 'verify'
  tables: OutputFile[]
  /** Flushed segments that are kept for `changes`; their records are in tables too, and counted there. */
  kept: SegmentPlace[]
}

/** Writes sorted records as one table. */
export interface BuildJob {
  type: 'build'
  /** A `RecordBatch`; shared with the thread that filled it. */
  records: Uint8Array
  output: OutputFile
  tables: TableOptions
}

/** Copies the first `bytes` of a file. */
export interface CopyJob {
  type: 'copy'
  from: string
  to: string
  bytes: number
}

/** Creates a segment, its name on disk when done, and allocates the first bytes of it. */
export interface CreateJob {
  type: 'create'
  path: string
  capacity: number
  allocated: number
}

/** Allocates the first bytes of a segment that is being written. */
export interface AllocateJob {
  type: 'allocate'
  path: string
  allocated: number
}

/** Removes files that a manifest no longer lists, once that is on disk. */
export interface RemoveJob {
  type: 'remove'
  manifest: string
  files: readonly string[]
}

export interface OutputFile {
  path: string
  number: number
}

export interface InputTable extends OutputFile {
  /** Added to every sequence in the file. */
  sequenceShift: number
}

export interface WrittenTable extends TableSummary {
  number: number
  /** Absent: none. */
  olderVersions?: number
  /** Its blocks were read back and found sound. */
  checked: boolean
}

export interface FileDamage {
  file: string
  offset: number
  message: string
}

export type JobResult =
  | BitcaskJobResult
  | { type: 'flush' | 'compact' | 'build'; written: WrittenTable[]; dropped: number }
  | { type: 'copy' | 'create' | 'allocate' | 'remove' }
  | { type: 'verify'; files: number; bytes: number; records: number; errors: FileDamage[] }
