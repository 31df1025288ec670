import {
  expiresFlag,
  flagsAt,
  readExpiresAt,
  readSiblingEnd,
  readStampMs,
  siblingCountOf,
  siblingsAt,
  tombstoneFlag,
} from '../record/record-format.js'

/**
 * Whether the record says nothing but "deleted, or expired, by `throughMs`": every sibling is stamped up to then, and is a tombstone or
 * has expired by then. A function of the record and of a moment that all owners are given, so that all decide alike, whatever their clocks.
 */
export function isCollectable(record: Uint8Array, throughMs: number): boolean {
  let at = siblingsAt(record)
  for (let left = siblingCountOf(record); left > 0; left--, at = readSiblingEnd(record, at)) {
    if (readStampMs(record, at) > throughMs) return false
    const flags = record[at + flagsAt]!
    if (flags & tombstoneFlag) continue
    if (!(flags & expiresFlag) || readExpiresAt(record, at) > throughMs) return false
  }
  return true
}

/** Whether every sibling is stamped up to then. */
export function isStampedBy(record: Uint8Array, throughMs: number): boolean {
  let at = siblingsAt(record)
  for (let left = siblingCountOf(record); left > 0; left--, at = readSiblingEnd(record, at))
    if (readStampMs(record, at) > throughMs) return false
  return true
}

/** Whether it may ever be collected as it is: no sibling is for good. Cost: the flags of one sibling, nearly always. */
export function isMortal(record: Uint8Array): boolean {
  let at = siblingsAt(record)
  for (let left = siblingCountOf(record); left > 0; left--, at = readSiblingEnd(record, at))
    if (!(record[at + flagsAt]! & (tombstoneFlag | expiresFlag))) return false
  return true
}
