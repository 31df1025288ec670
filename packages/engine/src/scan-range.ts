import { compareBytes, prefixSuccessor } from './bytes.js'
import { keptCopy } from './copy-bytes.js'
import { type KeyRange, keyBytesMax, type ScanOptions } from './store.js'

/** A half-open range of keys; `undefined` is no bound. */
export interface KeyInterval {
  lower: Uint8Array | undefined
  upper: Uint8Array | undefined
}

/** The least key greater than `key`. */
export function successor(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1)
  next.set(key)
  return next
}

const greater = (a: Uint8Array | undefined, b: Uint8Array | undefined) =>
  a === undefined ? b : b === undefined || compareBytes(a, b) >= 0 ? a : b
const lesser = (a: Uint8Array | undefined, b: Uint8Array | undefined) =>
  a === undefined ? b : b === undefined || compareBytes(a, b) <= 0 ? a : b

/** A bound longer than any key, as one of a key's length that parts the keys in the same way; `undefined`: all are before it. */
function asKey(bound: Uint8Array): Uint8Array | undefined {
  return bound.length <= keyBytesMax ? bound : prefixSuccessor(bound.subarray(0, keyBytesMax))
}

/** The least key there is. */
const leastKey = Uint8Array.of(0)

/** An interval with a lower bound that is a key, and an upper bound no longer than one; `undefined` if no key lies in it. */
export function keysWithin({
  lower,
  upper,
}: KeyInterval): { lower: Uint8Array; upper: Uint8Array | undefined } | undefined {
  const from = lower === undefined || lower.length === 0 ? leastKey : asKey(lower)
  const to = upper && asKey(upper)
  if (from === undefined || (to !== undefined && compareBytes(from, to) >= 0)) return undefined
  return { lower: keptCopy(from, 0, from.length), upper: to && keptCopy(to, 0, to.length) }
}

/** All bounds folded into one half-open range; `after` and `reverse` as an ordered store has them. */
export function scanRange(options: KeyRange & Pick<ScanOptions, 'after' | 'reverse'>): KeyInterval {
  const { gt, gte, lt, lte, prefix, after, reverse } = options
  let lower = greater(gte, gt && successor(gt))
  let upper = lesser(lt, lte && successor(lte))
  if (after !== undefined && reverse === true) upper = lesser(upper, after)
  else if (after !== undefined) lower = greater(lower, successor(after))
  if (prefix !== undefined && prefix.length > 0) {
    lower = greater(lower, prefix)
    upper = lesser(upper, prefixSuccessor(prefix))
  }
  return { lower, upper }
}
