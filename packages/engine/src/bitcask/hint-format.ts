import { crc32 as nativeCrc32 } from 'node:zlib'
import { viewOf } from '../bytes.js'
import { CorruptionError, NewerFormatError } from '../errors.js'
import type { DataSummary } from './data-summary.js'
import { offsetLimit } from './keydir/keydir.js'

/**
 * A hint file: where the records of one data file are, grouped by slot, so that opening needs no key and reads no data.
 * docs/engine/hint-format.md has the picture.
 *
 *   header (96 bytes) | entries of 24 bytes, slots ascending | crc u32 of everything before it
 *
 * All integers are little-endian. Salt and end are the data file's: a hint of another life of the file, or of a part of it, does not pass.
 */
/** "CSKDHNT\n" */
const hintMagic = 0x0a544e48444b5343n
const hintVersion = 1
export const hintHeaderBytes = 96
export const hintEntryBytes = 24

/** Which data file, and which state of it. */
export interface HintOwner {
  number: number
  salt: number
  end: number
}

// Entry, from its start.
const hashAt = 0
const identityLowAt = 4
const identityHighAt = 8
const slotAt = 10
/** Offsets are multiples of 4: bit 0 marks a tombstone. */
const offsetAt = 12
const sequenceHighAt = 16
const sizeAt = 18
const sequenceLowAt = 20

export interface HintEntry {
  slot: number
  hash: number
  /** 48 bits of the key's keyed hash: with slot and hash they stand for the key. */
  identityLow: number
  identityHigh: number
  offset: number
  tombstone: boolean
  sequence: number
  /** Bytes of the record in its file, to a part in 2,000. */
  size: number
}

export function writeHintEntry(view: DataView, at: number, entry: HintEntry): void {
  view.setUint32(at + hashAt, entry.hash, true)
  view.setUint32(at + identityLowAt, entry.identityLow, true)
  view.setUint16(at + identityHighAt, entry.identityHigh, true)
  view.setUint16(at + slotAt, entry.slot, true)
  view.setUint32(at + offsetAt, entry.offset | (entry.tombstone ? 1 : 0), true)
  view.setUint16(at + sequenceHighAt, Math.floor(entry.sequence / 0x1_0000_0000), true)
  view.setUint16(at + sizeAt, encodeSize(entry.size), true)
  view.setUint32(at + sequenceLowAt, entry.sequence % 0x1_0000_0000, true)
}

/** 12 bits of mantissa and 4 of exponent, in units of 4 bytes. */
function encodeSize(size: number): number {
  let units = Math.ceil(size / 4)
  let exponent = 0
  while (units > 0xfff) {
    units = Math.ceil(units / 2)
    exponent++
  }
  return (exponent << 12) | units
}

const decodeSize = (code: number) => ((code & 0xfff) << (code >>> 12)) * 4

/** `bytes` has room for header, `count` entries that are there already, and the checksum. */
export function finishHint(bytes: Uint8Array, owner: HintOwner, summary: DataSummary, count: number): void {
  const view = viewOf(bytes)
  view.setBigUint64(0, hintMagic, true)
  view.setUint32(8, hintVersion, true)
  view.setUint32(12, owner.salt, true)
  view.setBigUint64(16, BigInt(owner.number), true)
  view.setUint32(24, owner.end, true)
  view.setUint32(28, count, true)
  view.setFloat64(32, summary.records, true)
  view.setFloat64(40, summary.tombstones, true)
  view.setFloat64(48, summary.smallestSequence, true)
  view.setFloat64(56, summary.largestSequence, true)
  view.setFloat64(64, summary.expiringBytes, true)
  view.setFloat64(72, summary.expiresFrom, true)
  view.setFloat64(80, summary.expiresBy, true)
  view.setFloat64(88, summary.bytes, true)
  const end = bytes.length - 4
  view.setUint32(end, nativeCrc32(bytes.subarray(0, end)) >>> 0, true)
}

// The same as 32-bit words from the entry's start, for reading millions of them.
export const hintEntryWords = hintEntryBytes / 4
export const hashWord = 0
export const identityLowWord = 1
/** Upper part of the identity; above it the slot. */
export const slotWord = 2
export const slotShift = 16
export const offsetWord = 3
/** Upper part of the sequence; above it the size. */
export const sizeWord = 4
export const sequenceLowWord = 5
export const tombstoneBit = 1

/** Of two entries that begin at `a` and `b`, whether the first has the higher sequence. */
export function isNewer(words: Uint32Array, a: number, b: number): boolean {
  const difference = (words[a + sizeWord]! & 0xffff) - (words[b + sizeWord]! & 0xffff)
  return difference === 0 ? words[a + sequenceLowWord]! > words[b + sequenceLowWord]! : difference > 0
}

export const recordSizeOf = (words: Uint32Array, entry: number) => decodeSize(words[entry + sizeWord]! >>> 16)

/** The entries of a hint, read in place. */
export class HintReader {
  /** The data file it says it is of. */
  readonly owner: HintOwner
  readonly count: number
  readonly summary: DataSummary
  /** All entries, each of `hintEntryWords`. */
  readonly words: Uint32Array
  readonly #view: DataView

  /** Throws `CorruptionError` unless it is the whole hint of this data file; without an owner, of any. */
  constructor(bytes: Uint8Array, owner: HintOwner | undefined, file: string) {
    const view = viewOf(bytes)
    if (bytes.length < hintHeaderBytes + 4) throw new CorruptionError(file, 0, `only ${bytes.length} bytes long`)
    if (view.getBigUint64(0, true) !== hintMagic) throw new CorruptionError(file, 0, 'not a hint file (bad magic)')
    const end = bytes.length - 4
    if (view.getUint32(end, true) !== nativeCrc32(bytes.subarray(0, end)) >>> 0)
      throw new CorruptionError(file, 0, 'it does not match its checksum')
    const version = view.getUint32(8, true)
    if (version > hintVersion) throw new NewerFormatError(file, version, hintVersion)
    const found = {
      number: Number(view.getBigUint64(16, true)),
      salt: view.getUint32(12, true),
      end: view.getUint32(24, true),
    }
    if (owner !== undefined && (found.number !== owner.number || found.salt !== owner.salt || found.end !== owner.end))
      throw new CorruptionError(file, 12, `it is of another data file (${found.number}, end ${found.end})`)
    this.owner = found
    this.count = view.getUint32(28, true)
    if (hintHeaderBytes + this.count * hintEntryBytes !== end)
      throw new CorruptionError(file, 28, `it lists ${this.count} records, but has ${bytes.length} bytes`)
    this.summary = {
      records: view.getFloat64(32, true),
      tombstones: view.getFloat64(40, true),
      smallestSequence: view.getFloat64(48, true),
      largestSequence: view.getFloat64(56, true),
      expiringBytes: view.getFloat64(64, true),
      expiresFrom: view.getFloat64(72, true),
      expiresBy: view.getFloat64(80, true),
      bytes: view.getFloat64(88, true),
    }
    this.#view = view
    const start = bytes.byteOffset + hintHeaderBytes
    const aligned = start % 4 === 0 ? bytes.buffer : bytes.slice(hintHeaderBytes, end).buffer
    this.words = new Uint32Array(aligned, start % 4 === 0 ? start : 0, this.count * hintEntryWords)
  }

  slot(i: number): number {
    return this.#view.getUint16(hintHeaderBytes + i * hintEntryBytes + slotAt, true)
  }

  hash(i: number): number {
    return this.#view.getUint32(hintHeaderBytes + i * hintEntryBytes + hashAt, true)
  }

  identityLow(i: number): number {
    return this.#view.getUint32(hintHeaderBytes + i * hintEntryBytes + identityLowAt, true)
  }

  identityHigh(i: number): number {
    return this.#view.getUint16(hintHeaderBytes + i * hintEntryBytes + identityHighAt, true)
  }

  offset(i: number): number {
    return this.#view.getUint32(hintHeaderBytes + i * hintEntryBytes + offsetAt, true) & (offsetLimit - 4)
  }

  isTombstone(i: number): boolean {
    return (this.#view.getUint8(hintHeaderBytes + i * hintEntryBytes + offsetAt) & 1) === 1
  }

  sequence(i: number): number {
    const at = hintHeaderBytes + i * hintEntryBytes
    return (
      this.#view.getUint16(at + sequenceHighAt, true) * 0x1_0000_0000 + this.#view.getUint32(at + sequenceLowAt, true)
    )
  }

  size(i: number): number {
    return decodeSize(this.#view.getUint16(hintHeaderBytes + i * hintEntryBytes + sizeAt, true))
  }
}
