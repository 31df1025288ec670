import { compareBytes } from '../../bytes.js'
import type { RangeSpan } from '../table/table-format.js'

/** The keys that a table says something about, by its records or its range tombstones. */
export interface TableSpan {
  lower: Uint8Array
  /** `undefined`: to the last key there can be. */
  upper: Uint8Array | undefined
  /** `upper` is part of it. */
  closed: boolean
}

export interface SpannedTable {
  smallestKey: Uint8Array
  largestKey: Uint8Array
  rangeSpan?: RangeSpan
}

export function spanOf({ smallestKey, largestKey, rangeSpan }: SpannedTable): TableSpan {
  const records = { lower: smallestKey, upper: largestKey, closed: true }
  return rangeSpan === undefined ? records : union(records, { ...rangeSpan, closed: false })
}

export function union(a: TableSpan, b: TableSpan): TableSpan {
  const lower = compareBytes(a.lower, b.lower) <= 0 ? a.lower : b.lower
  if (a.upper === undefined || b.upper === undefined) return { lower, upper: undefined, closed: false }
  const order = compareBytes(a.upper, b.upper)
  if (order === 0) return { lower, upper: a.upper, closed: a.closed || b.closed }
  return order > 0 ? { lower, upper: a.upper, closed: a.closed } : { lower, upper: b.upper, closed: b.closed }
}

export function overlap(a: TableSpan, b: TableSpan): boolean {
  return !endsBefore(a, b.lower) && !endsBefore(b, a.lower)
}

/** Whether every key of the span is before `key`. */
export function endsBefore({ upper, closed }: TableSpan, key: Uint8Array): boolean {
  if (upper === undefined) return false
  const order = compareBytes(upper, key)
  return order < 0 || (order === 0 && !closed)
}
