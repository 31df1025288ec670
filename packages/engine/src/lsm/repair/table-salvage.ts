import { viewOf } from '../../bytes.js'
import type { ReadFile } from '../../io/storage.js'
import { FoundRecord } from '../found-record.js'
import { noRanges, type RangeTombstones } from '../range/range-tombstones.js'
import { blockHeaderBytes, checkBlock, decodeRecord, getUint48, offsetAt } from '../table/block-layout.js'
import { PartChecksum } from '../table/checksum.js'
import { decodeIndex, type IndexColumns } from '../table/index-section.js'
import {
  blocksStart,
  checksumBytes,
  decodeFooter,
  decodeProperties,
  type Footer,
  footerBytes,
  headerBytes,
  partBlock,
  partDictionary,
  partIndex,
  partProperties,
} from '../table/table-format.js'
import { readPart, readSection } from '../table/table-sections.js'
import { ValueDecoder } from '../table/value-decoder.js'
import { dictionaryBytesMax } from '../table/value-dictionary.js'

/** What can still be read of a table. */
export interface SalvagedTable {
  /** Range tombstones; none if the properties are damaged. */
  ranges: RangeTombstones
  records: Iterable<FoundRecord>
}

/**
 * The records of every block whose checksum holds, in order. With an index damaged blocks are passed over; without one the blocks are
 * found by their own shape and checksum, up to the first that is damaged. If the dictionary is damaged, so are all values that were
 * compressed with it: their records are not among them. Takes the whole table into memory, unless it is mapped.
 */
export function salvageTable(file: ReadFile, number: number, sequenceShift: number): SalvagedTable {
  const bytes = readPart(file, 0, file.size)
  const footer = attempt(() =>
    decodeFooter(bytes.subarray(bytes.length - footerBytes), number, bytes.length, file.path),
  )
  const checksum = new PartChecksum(number)
  const properties = footer && attempt(() => readProperties(file, footer, checksum))
  const dictionaryBytes = properties?.dictionaryBytes ?? findDictionary(bytes, checksum)
  const start = blocksStart(dictionaryBytes)
  const index = footer && attempt(() => readIndex(file, footer, checksum, start))
  const blocks = index === undefined ? walkBlocks(bytes, checksum, start) : indexedBlocks(bytes, checksum, index)
  const dictionary =
    dictionaryBytes === 0 || checksumHolds(bytes, checksum, partDictionary, headerBytes, dictionaryBytes)
      ? bytes.subarray(headerBytes, headerBytes + dictionaryBytes)
      : undefined
  return {
    ranges: properties?.ranges ?? noRanges,
    records: recordsOf(blocks, dictionary, properties?.baseWrittenAt, sequenceShift),
  }
}

/** Without `baseWrittenAt` nobody knows when the records were written. */
function* recordsOf(
  blocks: Iterable<Uint8Array>,
  dictionary: Uint8Array | undefined,
  baseWrittenAt: number | undefined,
  sequenceShift: number,
): Generator<FoundRecord> {
  const record = new FoundRecord()
  const decoder = dictionary && new ValueDecoder(dictionary)
  for (const block of blocks) {
    const view = viewOf(block)
    const count = block[0]! | (block[1]! << 8)
    for (let i = 0; i < count; i++) {
      const at = offsetAt(block, blockHeaderBytes + count, block[2]!, i)
      const size = decodeRecord(block, at, getUint48(block, 4) + sequenceShift, baseWrittenAt ?? 0, record)
      if (baseWrittenAt === undefined) record.writtenAt = 0
      if (size === 0 || decoder?.lend(record, view, size)) yield record
    }
  }
}

function attempt<T>(read: () => T | undefined): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}

const readIndex = (file: ReadFile, footer: Footer, checksum: PartChecksum, start: number) =>
  decodeIndex(readSection(file, footer.index, partIndex, checksum, 'index'), start, checksumBytes)

const readProperties = (file: ReadFile, footer: Footer, checksum: PartChecksum) =>
  decodeProperties(readSection(file, footer.properties, partProperties, checksum, 'properties'), file.size)

function* indexedBlocks(bytes: Uint8Array, checksum: PartChecksum, index: IndexColumns): Generator<Uint8Array> {
  for (let i = 0; i < index.flags.length; i++) {
    const start = index.offsets[i]!
    const length = index.offsets[i + 1]! - checksumBytes - start
    const block = start + length + checksumBytes <= bytes.length && openBlock(bytes, checksum, start, length)
    if (block) yield block
  }
}

function* walkBlocks(bytes: Uint8Array, checksum: PartChecksum, firstStart: number): Generator<Uint8Array> {
  for (let start = firstStart; ; ) {
    const length = blockLength(bytes, start)
    const block = length === undefined ? undefined : openBlock(bytes, checksum, start, length)
    if (block === undefined) return
    yield block
    start += block.length + checksumBytes
  }
}

/** A block says how long it is: its last record ends it. */
function blockLength(bytes: Uint8Array, start: number): number | undefined {
  const count = (bytes[start] ?? 0) | ((bytes[start + 1] ?? 0) << 8)
  const offsetBytes = bytes[start + 2]
  if (count === 0 || (offsetBytes !== 2 && offsetBytes !== 4)) return undefined
  const offsets = start + blockHeaderBytes + count
  if (offsets + count * offsetBytes > bytes.length) return undefined
  const lastRecord = start + offsetAt(bytes, offsets, offsetBytes, count - 1)
  if (lastRecord >= bytes.length) return undefined
  const record = new FoundRecord()
  decodeRecord(bytes, lastRecord, 0, 0, record)
  const length = record.valueEnd - start
  return length > 0 && start + length + checksumBytes <= bytes.length ? length : undefined
}

/** Without the properties: a dictionary ends where the checksum so far is the one that follows. 0: there is none. */
function findDictionary(bytes: Uint8Array, checksum: PartChecksum): number {
  const lengthMax = Math.min(dictionaryBytesMax, bytes.length - checksumBytes - headerBytes)
  let running = checksum.begin(partDictionary, headerBytes) ^ -1
  for (let length = 0; length < lengthMax; ) {
    running = (crcTable[(running ^ bytes[headerBytes + length]!) & 0xff]! ^ (running >>> 8)) | 0
    length++
    const at = headerBytes + length
    const stored = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    if ((running ^ -1) === stored) return length
  }
  return 0
}

const crcTable = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1
  return value
})

function checksumHolds(
  bytes: Uint8Array,
  checksum: PartChecksum,
  kind: number,
  start: number,
  length: number,
): boolean {
  const stored = viewOf(bytes).getUint32(start + length, true)
  return checksum.of(kind, start, bytes.subarray(start, start + length)) === stored
}

/** `undefined`: it is damaged. */
function openBlock(bytes: Uint8Array, checksum: PartChecksum, start: number, length: number): Uint8Array | undefined {
  if (length <= 0 || !checksumHolds(bytes, checksum, partBlock, start, length)) return undefined
  const block = bytes.subarray(start, start + length)
  return checkBlock(block, 0, block.length) === undefined ? block : undefined
}
