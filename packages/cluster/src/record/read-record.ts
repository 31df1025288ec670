import { versionOf } from '../causality/version-vector.js'
import { encodeContext } from './context-format.js'
import { decodeRecord, siblingCountOf } from './record-format.js'
import { type RecordState, type Sibling, winnerOf } from './record-state.js'

/** A record as a client sees it. */
export interface RecordReading {
  /** Those that are neither deleted nor expired, latest stamp first; none: the key is not found. Values are views. */
  values: readonly Sibling[]
  /** Sum of the history's counters. */
  version: number
  /** Milliseconds of the latest stamp. */
  timestampMs: number
  state: RecordState
}

export function readRecord(record: Uint8Array, wallMs: number): RecordReading {
  const state = decodeRecord(record)
  const values = state.siblings.filter((each) => isVisible(each, wallMs))
  if (siblingCountOf(record) > 1) values.sort((a, b) => b.stampMs - a.stampMs || b.stampLogical - a.stampLogical)
  return { values, version: versionOf(state.history), timestampMs: winnerOf(state.siblings).stampMs, state }
}

export const isVisible = ({ tombstone, expiresAt }: Sibling, wallMs: number): boolean =>
  !tombstone && (expiresAt === 0 || expiresAt > wallMs)

/** The context that a reader of the record takes with it. */
export function contextOf({ history, siblings }: RecordState): Uint8Array {
  const { stampMs, stampLogical } = winnerOf(siblings)
  return encodeContext({ history, stampMs, stampLogical })
}
