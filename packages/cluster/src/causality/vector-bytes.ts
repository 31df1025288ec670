import type { VersionVector } from './version-vector.js'

/**
 * A version vector as bytes: 13 per entry, actors ascending. All big-endian: member u24, minting epoch u32, counter u48.
 * Part of the record and of the context.
 */
export const vectorEntryBytes = 13

/** Largest counter of a dot: 48 bits. */
export const counterMax = 2 ** 48 - 1

export function readU32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
}

export function readU48(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 8) | bytes[at + 1]!) * 0x1_0000_0000 + readU32(bytes, at + 2)
}

/** Member u24 and epoch u32 as one actor. */
export function readActor(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!) * 0x1_0000_0000 + readU32(bytes, at + 3)
}

export const readCounter = (bytes: Uint8Array, entry: number): number => readU48(bytes, entry + 7)

export function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

export function writeU48(bytes: Uint8Array, at: number, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000)
  bytes[at] = high >>> 8
  bytes[at + 1] = high
  writeU32(bytes, at + 2, value >>> 0)
}

/** An entry of a vector, or a dot. Returns where it ends. */
export function writeEntry(bytes: Uint8Array, at: number, actor: number, counter: number): number {
  const member = Math.floor(actor / 0x1_0000_0000)
  bytes[at] = member >>> 16
  bytes[at + 1] = member >>> 8
  bytes[at + 2] = member
  writeU32(bytes, at + 3, actor >>> 0)
  writeU48(bytes, at + 7, counter)
  return at + vectorEntryBytes
}

export function writeVector(bytes: Uint8Array, at: number, vector: VersionVector): number {
  let end = at
  for (let i = 0; i < vector.length; i += 2) end = writeEntry(bytes, end, vector[i]!, vector[i + 1]!)
  return end
}

export function readVector(bytes: Uint8Array, at: number, entries: number): VersionVector {
  const vector: number[] = []
  for (let entry = at; vector.length < 2 * entries; entry += vectorEntryBytes)
    vector.push(readActor(bytes, entry), readCounter(bytes, entry))
  return vector
}

/** Why the entries are no vector; `undefined` if they are one. Checks order and counters, not the length. */
export function vectorFault(bytes: Uint8Array, at: number, entries: number): string | undefined {
  let before = 0
  for (let i = 0, entry = at; i < entries; i++, entry += vectorEntryBytes) {
    const actor = readActor(bytes, entry)
    if (actor < 0x1_0000_0000 || actor > Number.MAX_SAFE_INTEGER) return 'an actor without a member'
    if (actor <= before) return 'actors that do not ascend'
    if (readCounter(bytes, entry) === 0) return 'a counter of 0'
    before = actor
  }
  return undefined
}

/** Copies `source[start, end)`: some tens of bytes, for which a loop is cheaper than a view and `set`. Returns where it ends. */
export function copyEntries(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number {
  while (start < end) target[at++] = source[start++]!
  return at
}

/** What `vectorOrder` answers: bits. Neither: equal. Both: concurrent. */
export const leftKnowsMore = 1
export const rightKnowsMore = 2

/** How two vectors of `aEntries` and `bEntries` entries stand to each other, without decoding them. */
export function vectorOrder(
  a: Uint8Array,
  aAt: number,
  aEntries: number,
  b: Uint8Array,
  bAt: number,
  bEntries: number,
): number {
  const aEnd = aAt + aEntries * vectorEntryBytes
  const bEnd = bAt + bEntries * vectorEntryBytes
  let order = 0
  while (aAt < aEnd && bAt < bEnd) {
    const byActor = readActor(a, aAt) - readActor(b, bAt)
    if (byActor === 0) {
      const byCounter = readCounter(a, aAt) - readCounter(b, bAt)
      if (byCounter !== 0) order |= byCounter > 0 ? leftKnowsMore : rightKnowsMore
    } else order |= byActor < 0 ? leftKnowsMore : rightKnowsMore
    if (byActor <= 0) aAt += vectorEntryBytes
    if (byActor >= 0) bAt += vectorEntryBytes
  }
  if (aAt < aEnd) order |= leftKnowsMore
  if (bAt < bEnd) order |= rightKnowsMore
  return order
}

/** The counter of an actor in a vector of that many entries; 0 for none. */
export function findCounter(bytes: Uint8Array, at: number, entries: number, actor: number): number {
  for (let entry = at; entries > 0; entries--, entry += vectorEntryBytes)
    if (readActor(bytes, entry) === actor) return readCounter(bytes, entry)
  return 0
}
