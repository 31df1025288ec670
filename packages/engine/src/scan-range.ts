import { compareBytes, prefixSuccessor } from './bytes.js'
import type { KeyRange } from './store.js'

/** A half-open range of keys; `undefined` is no bound. */
export interface KeyInterval {
  lower: Uint8Array | undefined
  upper: Uint8Array | undefined
}

/** The least key greater than `key`. */
function successor(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1)
  next.set(key)
  return next
}

const greater = (a: Uint8Array | undefined, b: Uint8Array | undefined) =>
  a === undefined ? b : b === undefined || compareBytes(a, b) >= 0 ? a : b
const lesser = (a: Uint8Array | undefined, b: Uint8Array | undefined) =>
  a === undefined ? b : b === undefined || compareBytes(a, b) <= 0 ? a : b

/** All bounds folded into one half-open range. */
export function scanRange(options: KeyRange): KeyInterval {
  const { gt, gte, lt, lte, prefix } = options
  let lower = greater(gte, gt && successor(gt))
  let upper = lesser(lt, lte && successor(lte))
  if (prefix !== undefined && prefix.length > 0) {
    lower = greater(lower, prefix)
    upper = lesser(upper, prefixSuccessor(prefix))
  }
  return { lower, upper }
}

/** Whether there can be no key in it. */
export function isEmptyInterval({ lower, upper }: KeyInterval): boolean {
  return upper !== undefined && (upper.length === 0 || (lower !== undefined && compareBytes(lower, upper) >= 0))
}
