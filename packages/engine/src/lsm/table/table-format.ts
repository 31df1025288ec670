import { viewOf } from '../../bytes.js'
import { CorruptionError, NewerFormatError } from '../../errors.js'
import { decodeRanges, encodeRanges } from '../range/range-section.js'
import type { RangeTombstones } from '../range/range-tombstones.js'
import { PartChecksum } from './checksum.js'

/** docs/engine/table-format.md describes the file; this module has its fixed parts. All numbers are little-endian. */
export const tableVersion = 1
/** "CASKSST" and 0x89, which no text has. */
const magic = Uint8Array.of(0x43, 0x41, 0x53, 0x4b, 0x53, 0x53, 0x54, 0x89)

export const headerBytes = 24
export const footerBytes = 64
export const checksumBytes = 4
/** The filter begins at a multiple of it: one line of the filter is one line of the cache. */
export const filterAlignment = 64

/** What a checksum is over: part of its input. */
export const partHeader = 1
export const partBlock = 2
export const partDictionary = 3
export const partFilter = 4
export const partIndex = 5
export const partProperties = 6
export const partFooter = 7

export interface TableOptions {
  /** A block is closed before it exceeds this; a larger record has a block of its own. */
  blockBytes: number
  /** 0: no filter. */
  bloomBitsPerKey: number
  compression: 'lz4' | 'none'
}

export interface TableSummary {
  fileBytes: number
  /** Records, tombstones and older versions included. */
  entries: number
  tombstones: number
  smallestKey: Uint8Array
  largestKey: Uint8Array
  smallestSequence: number
  largestSequence: number
  keyBytes: number
  valueBytes: number
  /** 0: no record expires. */
  soonestExpiry: number
  /** CRC-32 of the checksums of all blocks, filter and index: tells this table from another with the same number and shape. */
  digest: number
  /** Where the table's range tombstones lie: from the first one's lower bound to the last one's upper. Absent: there are none. */
  rangeSpan?: RangeSpan
}

export interface RangeSpan {
  lower: Uint8Array
  /** `undefined`: no upper bound. */
  upper: Uint8Array | undefined
}

export interface TableProperties extends TableSummary {
  blocks: number
  /** What compressed values refer to, between the header and the first block; 0: there is none. */
  dictionaryBytes: number
  filterProbes: number
  /** What each record's `writtenAt` is coded against: the first in the table; 0 where there is none. */
  baseWrittenAt: number
  ranges: RangeTombstones
}

/** Where the first block begins. */
export const blocksStart = (dictionaryBytes: number) =>
  headerBytes + (dictionaryBytes === 0 ? 0 : dictionaryBytes + checksumBytes)

export interface Section {
  offset: number
  /** Without its checksum. */
  length: number
}

export interface Footer {
  filter: Section
  index: Section
  properties: Section
}

export function encodeHeader(fileNumber: number): Uint8Array {
  const bytes = new Uint8Array(headerBytes)
  const view = new DataView(bytes.buffer)
  bytes.set(magic)
  putUint64(view, 8, fileNumber)
  view.setUint32(16, tableVersion, true)
  view.setUint32(20, new PartChecksum(fileNumber).of(partHeader, 0, bytes.subarray(0, 20)), true)
  return bytes
}

/** The header has this shape in every version, so that a newer file can be told from a damaged one. */
export function checkHeader(bytes: Uint8Array, fileNumber: number, file: string): void {
  const view = viewOf(bytes)
  if (!hasMagic(bytes, 0)) throw new CorruptionError(file, 0, 'it does not begin as a table does')
  const found = getUint64(view, 8)
  if (view.getUint32(20, true) !== new PartChecksum(found).of(partHeader, 0, bytes.subarray(0, 20))) {
    throw new CorruptionError(file, 0, 'the header does not match its checksum')
  }
  const version = view.getUint32(16, true)
  if (version > tableVersion) throw new NewerFormatError(file, version, tableVersion)
  if (version !== tableVersion) throw new CorruptionError(file, 16, `there is no format version ${version}`)
  if (found !== fileNumber) {
    throw new CorruptionError(
      file,
      8,
      `it is table ${found}, expected table ${fileNumber}: were files swapped or copied?`,
    )
  }
}

export function encodeFooter(footer: Footer, fileNumber: number, offset: number): Uint8Array {
  const bytes = new Uint8Array(footerBytes)
  const view = new DataView(bytes.buffer)
  putSection(view, 0, footer.filter)
  putSection(view, 16, footer.index)
  putSection(view, 32, footer.properties)
  view.setUint32(48, tableVersion, true)
  view.setUint32(52, new PartChecksum(fileNumber).of(partFooter, offset, bytes.subarray(0, 52)), true)
  bytes.set(magic, 56)
  return bytes
}

export function decodeFooter(bytes: Uint8Array, fileNumber: number, fileBytes: number, file: string): Footer {
  const offset = fileBytes - footerBytes
  const view = viewOf(bytes)
  const fail = (what: string): never => {
    throw new CorruptionError(file, offset, what)
  }
  if (!hasMagic(bytes, 56)) fail('it does not end as a table does: was it cut off?')
  if (view.getUint32(52, true) !== new PartChecksum(fileNumber).of(partFooter, offset, bytes.subarray(0, 52))) {
    fail('the footer does not match its checksum')
  }
  const footer = { filter: getSection(view, 0), index: getSection(view, 16), properties: getSection(view, 32) }
  const sectionsEnd = (section: Section) => section.offset + section.length + checksumBytes
  if (
    footer.filter.offset < headerBytes ||
    footer.filter.offset % filterAlignment !== 0 ||
    sectionsEnd(footer.filter) !== footer.index.offset ||
    sectionsEnd(footer.index) !== footer.properties.offset ||
    sectionsEnd(footer.properties) !== offset
  ) {
    fail('the sections that the footer names do not fit together')
  }
  return footer
}

/** Fixed fields, then the smallest and the largest key; then, unless both are nothing, `baseWrittenAt` and range tombstones. */
const propertiesFixedBytes = 84

export function encodeProperties(properties: TableProperties): Uint8Array {
  const { smallestKey, largestKey, baseWrittenAt } = properties
  const ranges = encodeRanges(properties.ranges)
  const keysEnd = propertiesFixedBytes + smallestKey.length + largestKey.length
  const hasTail = baseWrittenAt !== 0 || ranges.length > 0
  const bytes = new Uint8Array(keysEnd + (hasTail ? 8 + ranges.length : 0))
  const view = new DataView(bytes.buffer)
  putUint64(view, 0, properties.entries)
  putUint64(view, 8, properties.tombstones)
  putUint64(view, 16, properties.smallestSequence)
  putUint64(view, 24, properties.largestSequence)
  putUint64(view, 32, properties.keyBytes)
  putUint64(view, 40, properties.valueBytes)
  putUint64(view, 48, properties.soonestExpiry)
  putUint64(view, 56, properties.blocks)
  view.setUint32(64, properties.dictionaryBytes, true)
  view.setUint32(68, properties.filterProbes, true)
  view.setUint32(72, smallestKey.length, true)
  view.setUint32(76, largestKey.length, true)
  view.setUint32(80, properties.digest, true)
  bytes.set(smallestKey, propertiesFixedBytes)
  bytes.set(largestKey, propertiesFixedBytes + smallestKey.length)
  if (hasTail) {
    putUint64(view, keysEnd, baseWrittenAt)
    bytes.set(ranges, keysEnd + 8)
  }
  return bytes
}

/** `undefined`: the bytes cannot be the properties of a table. */
export function decodeProperties(bytes: Uint8Array, fileBytes: number): TableProperties | undefined {
  if (bytes.length < propertiesFixedBytes) return undefined
  const view = viewOf(bytes)
  const largestStart = propertiesFixedBytes + view.getUint32(72, true)
  const keysEnd = largestStart + view.getUint32(76, true)
  if (keysEnd !== bytes.length && keysEnd + 8 > bytes.length) return undefined
  const ranges = decodeRanges(bytes.subarray(keysEnd + 8))
  if (ranges === undefined) return undefined
  return {
    fileBytes,
    entries: getUint64(view, 0),
    tombstones: getUint64(view, 8),
    smallestSequence: getUint64(view, 16),
    largestSequence: getUint64(view, 24),
    keyBytes: getUint64(view, 32),
    valueBytes: getUint64(view, 40),
    soonestExpiry: getUint64(view, 48),
    blocks: getUint64(view, 56),
    baseWrittenAt: keysEnd === bytes.length ? 0 : getUint64(view, keysEnd),
    dictionaryBytes: view.getUint32(64, true),
    filterProbes: view.getUint32(68, true),
    digest: view.getUint32(80, true),
    smallestKey: new Uint8Array(bytes.subarray(propertiesFixedBytes, largestStart)),
    largestKey: new Uint8Array(bytes.subarray(largestStart, keysEnd)),
    ranges,
    ...spanOf(ranges),
  }
}

/** The part of a table's summary that tells of its range tombstones. */
export function spanOf({ fragments }: RangeTombstones): { rangeSpan?: RangeSpan } {
  const first = fragments[0]
  return first === undefined ? {} : { rangeSpan: { lower: first.lower, upper: fragments.at(-1)!.upper } }
}

function hasMagic(bytes: Uint8Array, at: number): boolean {
  return magic.every((byte, i) => bytes[at + i] === byte)
}

function putSection(view: DataView, at: number, section: Section): void {
  putUint64(view, at, section.offset)
  putUint64(view, at + 8, section.length)
}

function getSection(view: DataView, at: number): Section {
  return { offset: getUint64(view, at), length: getUint64(view, at + 8) }
}

function putUint64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value, true)
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true)
}

function getUint64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32
}
