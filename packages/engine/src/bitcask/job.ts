import type { FileDamage } from '../lsm/worker/job.js'
import type { DataSummary } from './data-summary.js'
import type { HintOwner } from './hint-format.js'

/** Background work of the Bitcask backend: plain data, as all jobs. */
export type BitcaskJob = SettleJob | MergeJob | VerifyDataJob

/** A data file, and the part of it that counts. */
export interface DataPlace extends HintOwner {
  path: string
}

/** Syncs a sealed file, checks every frame, writes its hint, and gives back the space behind its end. */
export interface SettleJob {
  type: 'settle'
  data: DataPlace
  hint: string
  secret: readonly [number, number]
}

export interface MergeInput extends DataPlace {
  /** Offsets of the records that the keydir points at, in any order, in pieces of shared memory: the merge sorts them. */
  live: Uint32Array[]
}

/** Writes the live records of files, and the tombstones that are still needed, into new files. */
export interface MergeJob {
  type: 'merge'
  inputs: MergeInput[]
  /** Files that stay: one that has older records than a tombstone, and may have its key, keeps the tombstone. */
  others: { data: DataPlace; hint: string; smallestSequence: number }[]
  outputs: MergeOutputFile[]
  outputBytes: number
  secret: readonly [number, number]
  /** Records that expire at or before it are dropped. */
  now: number
  /** Log files that hold what has superseded records of the inputs: to be on disk before these go. */
  logs: string[]
}

export interface MergeOutputFile {
  number: number
  salt: number
  path: string
  hint: string
}

export interface VerifyDataJob {
  type: 'verify-data'
  data: DataPlace
  hint: string
}

export interface MergedFile extends HintOwner {
  summary: DataSummary
  /** Bytes of tombstones in it, and numbers of the files that may hold their keys. */
  pinnedBytes: number
  pinnedBy: number[]
}

/** Where each live record of the inputs went, by slot, so that the keydir is gone through in order. */
export interface MovedRecords {
  slots: Uint16Array
  hashes: Uint32Array
  /** Which input, and where in it. */
  inputs: Uint16Array
  oldOffsets: Uint32Array
  /** Which of the written files, and where in it; -1: it had expired. */
  outputs: Int32Array
  offsets: Uint32Array
  /** What the copy takes, as hints count it. */
  sizes: Uint32Array
}

export interface MergeResult {
  type: 'merge'
  written: MergedFile[]
  moved: MovedRecords
  tombstonesDropped: number
}

export type BitcaskJobResult =
  | { type: 'settle' }
  | MergeResult
  | { type: 'verify-data'; files: number; bytes: number; records: number; errors: FileDamage[] }
