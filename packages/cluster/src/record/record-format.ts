import {
  counterMax,
  readActor,
  readCounter,
  readU32,
  readU48,
  readVector,
  vectorEntryBytes,
  vectorFault,
  writeEntry,
  writeU32,
  writeU48,
  writeVector,
} from '../causality/vector-bytes.js'
import { counterOf } from '../causality/version-vector.js'
import { RecordError } from './record-error.js'
import { compareDots, type RecordState, type Sibling } from './record-state.js'

/** See docs/cluster/record-format.md. Canonical: equal states have equal bytes, so equality is one comparison of bytes. */
export const recordMagic = 0xc1

/** Offsets in a record. */
export const historyCountAt = 1
export const siblingCountAt = 3
export const historyAt = 4

/** Offsets in a sibling, which begins with its dot. */
export const stampMsAt = 13
export const stampLogicalAt = 19
export const flagsAt = 21
export const siblingFixedBytes = 22

export const tombstoneFlag = 1
export const expiresFlag = 2
export const requestFlag = 4

/** Most siblings of a record, whatever a bucket asks for. */
export const siblingsMaxLimit = 255
/** Latest expiry: 48 bits. */
export const expiresAtMax = 2 ** 48 - 1
const historyEntriesMax = 0xffff
/** Beyond it a write is refused: merges of what a few owners have minted still fit the format. Honest histories have tens. */
const mintedEntriesMax = 1 << 14

const lengthBytes = 4
const requestBytes = 8

export const historyEntriesOf = (record: Uint8Array): number =>
  (record[historyCountAt]! << 8) | record[historyCountAt + 1]!
export const siblingCountOf = (record: Uint8Array): number => record[siblingCountAt]!
/** Where the first sibling begins. */
export const siblingsAt = (record: Uint8Array): number => historyAt + historyEntriesOf(record) * vectorEntryBytes

export const readStampMs = (bytes: Uint8Array, sibling: number): number => readU48(bytes, sibling + stampMsAt)
export const readStampLogical = (bytes: Uint8Array, sibling: number): number =>
  (bytes[sibling + stampLogicalAt]! << 8) | bytes[sibling + stampLogicalAt + 1]!

/** Bytes of a sibling's head: everything before its value. */
export const headBytes = (flags: number): number =>
  siblingFixedBytes + (flags & expiresFlag ? 6 : 0) + (flags & requestFlag ? requestBytes : 0) + lengthBytes

export const readValueStart = (bytes: Uint8Array, sibling: number): number =>
  sibling + headBytes(bytes[sibling + flagsAt]!)

/** Where the sibling, and its value, end. */
export function readSiblingEnd(bytes: Uint8Array, sibling: number): number {
  const valueStart = readValueStart(bytes, sibling)
  return valueStart + readU32(bytes, valueStart - lengthBytes)
}

/** 0: never. */
export const readExpiresAt = (bytes: Uint8Array, sibling: number): number =>
  bytes[sibling + flagsAt]! & expiresFlag ? readU48(bytes, sibling + siblingFixedBytes) : 0

const readRequestAt = (bytes: Uint8Array, sibling: number) =>
  readValueStart(bytes, sibling) - lengthBytes - requestBytes

/** Both halves 0: no request id. */
export const readRequestHigh = (bytes: Uint8Array, sibling: number): number =>
  bytes[sibling + flagsAt]! & requestFlag ? readU32(bytes, readRequestAt(bytes, sibling)) : 0
export const readRequestLow = (bytes: Uint8Array, sibling: number): number =>
  bytes[sibling + flagsAt]! & requestFlag ? readU32(bytes, readRequestAt(bytes, sibling) + 4) : 0

/** Does the sibling at that offset carry this request id? Never true of no request id. */
export const isRequest = (bytes: Uint8Array, sibling: number, requestHigh: number, requestLow: number): boolean =>
  (bytes[sibling + flagsAt]! & requestFlag) !== 0 &&
  readRequestLow(bytes, sibling) === requestLow &&
  readRequestHigh(bytes, sibling) === requestHigh

export function encodedSiblingBytes(sibling: Sibling): number {
  return headBytes(flagsOf(sibling)) + sibling.value.length
}

export function encodedRecordBytes(state: RecordState): number {
  let bytes = historyAt + (state.history.length / 2) * vectorEntryBytes
  for (const sibling of state.siblings) bytes += encodedSiblingBytes(sibling)
  return bytes
}

function flagsOf(sibling: Sibling): number {
  return (
    (sibling.tombstone ? tombstoneFlag : 0) |
    (sibling.expiresAt === 0 ? 0 : expiresFlag) |
    ((sibling.requestHigh | sibling.requestLow) === 0 ? 0 : requestFlag)
  )
}

export function writeRecordHead(bytes: Uint8Array, historyEntries: number, siblings: number): void {
  if (historyEntries > historyEntriesMax)
    throw new RecordError(
      'CASKADE_BAD_CONTEXT',
      `a history of ${historyEntries} entries: only made-up contexts do that`,
    )
  bytes[0] = recordMagic
  bytes[historyCountAt] = historyEntries >>> 8
  bytes[historyCountAt + 1] = historyEntries
  bytes[siblingCountAt] = siblings
}

/** Returns where it ends. */
export function writeSibling(bytes: Uint8Array, at: number, sibling: Sibling): number {
  writeEntry(bytes, at, sibling.actor, sibling.counter)
  writeU48(bytes, at + stampMsAt, sibling.stampMs)
  bytes[at + stampLogicalAt] = sibling.stampLogical >>> 8
  bytes[at + stampLogicalAt + 1] = sibling.stampLogical
  const flags = flagsOf(sibling)
  bytes[at + flagsAt] = flags
  let end = at + siblingFixedBytes
  if (flags & expiresFlag) {
    writeU48(bytes, end, sibling.expiresAt)
    end += 6
  }
  if (flags & requestFlag) {
    writeU32(bytes, end, sibling.requestHigh)
    writeU32(bytes, end + 4, sibling.requestLow)
    end += requestBytes
  }
  writeU32(bytes, end, sibling.value.length)
  end += lengthBytes
  bytes.set(sibling.value, end)
  return end + sibling.value.length
}

export function encodeRecord(state: RecordState): Uint8Array {
  const bytes = Buffer.allocUnsafe(encodedRecordBytes(state))
  writeRecordHead(bytes, state.history.length / 2, state.siblings.length)
  let end = writeVector(bytes, historyAt, state.history)
  for (const sibling of state.siblings) end = writeSibling(bytes, end, sibling)
  return bytes
}

/** The sibling at an offset; its value is a view. For bytes that have been checked once. */
export function readSibling(bytes: Uint8Array, at: number): Sibling {
  const flags = bytes[at + flagsAt]!
  const valueStart = readValueStart(bytes, at)
  return {
    actor: readActor(bytes, at),
    counter: readCounter(bytes, at),
    stampMs: readStampMs(bytes, at),
    stampLogical: readStampLogical(bytes, at),
    expiresAt: readExpiresAt(bytes, at),
    tombstone: (flags & tombstoneFlag) !== 0,
    requestHigh: readRequestHigh(bytes, at),
    requestLow: readRequestLow(bytes, at),
    value: bytes.subarray(valueStart, readSiblingEnd(bytes, at)),
  }
}

/** Reads bytes that have passed `checkRecord` once: those from the own store, or that a check has let in. Values are views. */
export function decodeRecord(bytes: Uint8Array): RecordState {
  const siblings: Sibling[] = []
  for (let at = siblingsAt(bytes); siblings.length < siblingCountOf(bytes); at = readSiblingEnd(bytes, at))
    siblings.push(readSibling(bytes, at))
  return { history: readVector(bytes, historyAt, historyEntriesOf(bytes)), siblings }
}

/**
 * Throws CASKADE_CORRUPTION unless the bytes are a canonical record: for everything that comes from the network. After it,
 * no read of the record leaves the bytes. Cost: the entries and siblings, not the values.
 */
export function checkRecord(bytes: Uint8Array): void {
  const fault = recordFault(bytes)
  if (fault !== undefined)
    throw new RecordError('CASKADE_CORRUPTION', `${bytes.length} bytes that are no record: ${fault}`)
}

function recordFault(bytes: Uint8Array): string | undefined {
  if (bytes.length < historyAt || bytes[0] !== recordMagic)
    return `expected a first byte of 0x${recordMagic.toString(16)}`
  const siblings = siblingCountOf(bytes)
  const first = siblingsAt(bytes)
  if (siblings === 0) return 'no sibling'
  if (first > bytes.length) return 'the history is cut short'
  const fault = vectorFault(bytes, historyAt, historyEntriesOf(bytes))
  if (fault !== undefined) return `a history with ${fault}`
  let at = first
  let before: Sibling | undefined
  const history = readVector(bytes, historyAt, historyEntriesOf(bytes))
  for (let i = 0; i < siblings; i++) {
    const flags = bytes[at + flagsAt] ?? 0
    if (at + headBytes(flags) > bytes.length || readSiblingEnd(bytes, at) > bytes.length)
      return 'a sibling is cut short'
    if (flags > 7) return `unknown flags ${flags}`
    const sibling = readSibling(bytes, at)
    if (flagsOf(sibling) !== flags) return 'flags for what is not there'
    if (sibling.tombstone && sibling.value.length > 0) return 'a tombstone with a value'
    if (sibling.counter === 0 || counterOf(history, sibling.actor) < sibling.counter) return 'a dot outside the history'
    if (before !== undefined && compareDots(before, sibling) >= 0) return 'siblings out of order'
    before = sibling
    at = readSiblingEnd(bytes, at)
  }
  return at === bytes.length ? undefined : 'bytes behind the last sibling'
}

/** Throws CASKADE_BAD_CONTEXT for a counter or history that would not fit: neither can happen to a key by honest writes. */
export function checkMintable(counter: number, historyEntries: number): void {
  if (counter > counterMax || historyEntries > mintedEntriesMax)
    throw new RecordError('CASKADE_BAD_CONTEXT', 'the history of this key is exhausted: it was given a made-up context')
}
