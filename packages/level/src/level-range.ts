import { compareBytes, type KeyRange } from '@caskade/engine'
import { storedKey } from './stored-key.js'

/** A key in one of the formats that abstract-level encodes to. */
export type Encoded = string | Uint8Array

export interface LevelRange {
  gt?: Encoded
  gte?: Encoded
  lt?: Encoded
  lte?: Encoded
}

/** The bytes that a key is stored under. */
export function encodedKey(key: Encoded): Uint8Array {
  return storedKey(typeof key === 'string' ? Buffer.from(key) : key)
}

/** The bounds of abstract-level, where `gte` overrules `gt` and `lte` overrules `lt`. */
export function storedRange({ gt, gte, lt, lte }: LevelRange): KeyRange {
  const range: KeyRange = {}
  if (gte !== undefined) range.gte = encodedKey(gte)
  else if (gt !== undefined) range.gt = encodedKey(gt)
  if (lte !== undefined) range.lte = encodedKey(lte)
  else if (lt !== undefined) range.lt = encodedKey(lt)
  return range
}

/** The rest of a range from a sought key on, in the direction of reading; `undefined`: the key lies outside, nothing is left. */
export function rangeFrom(range: KeyRange, target: Uint8Array, reverse: boolean): KeyRange | undefined {
  const { gt, gte, lt, lte } = range
  if (gt !== undefined && compareBytes(target, gt) <= 0) return undefined
  if (gte !== undefined && compareBytes(target, gte) < 0) return undefined
  if (lt !== undefined && compareBytes(target, lt) >= 0) return undefined
  if (lte !== undefined && compareBytes(target, lte) > 0) return undefined
  const rest: KeyRange = {}
  if (reverse) {
    rest.lte = target
    if (gt !== undefined) rest.gt = gt
    if (gte !== undefined) rest.gte = gte
  } else {
    rest.gte = target
    if (lt !== undefined) rest.lt = lt
    if (lte !== undefined) rest.lte = lte
  }
  return rest
}
