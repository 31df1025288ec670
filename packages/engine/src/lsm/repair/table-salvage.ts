import { viewOf } from '../../bytes.js'
import type { ReadFile } from '../../io/storage.js'
import { FoundRecord } from '../found-record.js'
import { noRanges, type RangeTombstones } from '../range/range-tombstones.js'
import { blockHeaderBytes, checkBlock, decodeRecord, getUint48, offsetAt } from '../table/block-layout.js'
import { PartChecksum } from '../table/checksum.js'
import { blockCompressed, decodeIndex, type IndexColumns } from '../table/index-section.js'
import { BlockDecoder, claimedSize, compressBytesMax, sizePrefixBytes } from '../table/lz4-block.js'
import {
  checksumBytes,
  decodeFooter,
  decodeProperties,
  type Footer,
  footerBytes,
  headerBytes,
  partBlock,
  partCompressedBlock,
  partIndex,
  partProperties,
} from '../table/table-format.js'
import { readPart, readSection } from '../table/table-sections.js'

/** Bytes from one readable block to the next, or `undefined`. */
type Find = (offset: number) => { kind: number; length: number } | undefined

/** What can still be read of a table. */
export interface SalvagedTable {
  /** Range tombstones; none if the properties are damaged. */
  ranges: RangeTombstones
  records: Iterable<FoundRecord>
}

/**
 * The records of every block whose checksum holds, in order. With an index damaged blocks are passed over; without one the blocks are
 * found by their own shape and checksum, up to the first that is damaged. Takes the whole table into memory, unless it is mapped.
 */
export function salvageTable(file: ReadFile, number: number, sequenceShift: number): SalvagedTable {
  const bytes = readPart(file, 0, file.size)
  const footer = attempt(() =>
    decodeFooter(bytes.subarray(bytes.length - footerBytes), number, bytes.length, file.path),
  )
  const checksum = new PartChecksum(number)
  const index = footer && attempt(() => readIndex(file, footer, checksum))
  const properties = footer && attempt(() => readProperties(file, footer, checksum))
  const blocks = index === undefined ? walkBlocks(bytes, checksum) : indexedBlocks(bytes, checksum, index)
  return {
    ranges: properties?.ranges ?? noRanges,
    records: recordsOf(blocks, properties?.baseWrittenAt, sequenceShift),
  }
}

/** Without `baseWrittenAt` nobody knows when the records were written. */
function* recordsOf(
  blocks: Iterable<Uint8Array>,
  baseWrittenAt: number | undefined,
  sequenceShift: number,
): Generator<FoundRecord> {
  const record = new FoundRecord()
  for (const block of blocks) {
    const count = block[0]! | (block[1]! << 8)
    for (let i = 0; i < count; i++) {
      const at = offsetAt(block, blockHeaderBytes + count, block[2]!, i)
      decodeRecord(block, at, getUint48(block, 4) + sequenceShift, baseWrittenAt ?? 0, record)
      if (baseWrittenAt === undefined) record.writtenAt = 0
      yield record
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

const readIndex = (file: ReadFile, footer: Footer, checksum: PartChecksum) =>
  decodeIndex(readSection(file, footer.index, partIndex, checksum, 'index'), headerBytes, checksumBytes)

const readProperties = (file: ReadFile, footer: Footer, checksum: PartChecksum) =>
  decodeProperties(readSection(file, footer.properties, partProperties, checksum, 'properties'), file.size)

function* indexedBlocks(bytes: Uint8Array, checksum: PartChecksum, index: IndexColumns): Generator<Uint8Array> {
  for (let i = 0; i < index.flags.length; i++) {
    const start = index.offsets[i]!
    const length = index.offsets[i + 1]! - checksumBytes - start
    const kind = (index.flags[i]! & blockCompressed) === 0 ? partBlock : partCompressedBlock
    const block = start + length + checksumBytes <= bytes.length && openBlock(bytes, checksum, kind, start, length)
    if (block) yield block
  }
}

function* walkBlocks(bytes: Uint8Array, checksum: PartChecksum): Generator<Uint8Array> {
  const find: Find = (start) => plainBlock(bytes, checksum, start) ?? compressedBlock(bytes, checksum, start)
  for (let start = headerBytes, found = find(start); found !== undefined; found = find(start)) {
    const block = openBlock(bytes, checksum, found.kind, start, found.length)
    if (block === undefined) return
    yield block
    start += found.length + checksumBytes
  }
}

/** A block that is stored as it is says how long it is. */
function plainBlock(bytes: Uint8Array, checksum: PartChecksum, start: number): ReturnType<Find> {
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
  if (!(length > 0) || start + length + checksumBytes > bytes.length) return undefined
  return checksumHolds(bytes, checksum, partBlock, start, length) ? { kind: partBlock, length } : undefined
}

/** One that is compressed does not: its end is where the checksum so far is the one that follows. */
function compressedBlock(bytes: Uint8Array, checksum: PartChecksum, start: number): ReturnType<Find> {
  if (start + sizePrefixBytes >= bytes.length) return undefined
  const size = viewOf(bytes).getUint32(start, true)
  if (size === 0 || size > compressBytesMax) return undefined
  const lengthMax = Math.min(size, bytes.length - checksumBytes - start)
  let running = checksum.begin(partCompressedBlock, start) ^ -1
  for (let length = 0; length < lengthMax; ) {
    running = (crcTable[(running ^ bytes[start + length]!) & 0xff]! ^ (running >>> 8)) | 0
    length++
    const at = start + length
    const stored = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    if ((running ^ -1) === stored) return { kind: partCompressedBlock, length }
  }
  return undefined
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

/** The block, decompressed; `undefined` if it is damaged. */
function openBlock(
  bytes: Uint8Array,
  checksum: PartChecksum,
  kind: number,
  start: number,
  length: number,
): Uint8Array | undefined {
  if (length <= 0 || !checksumHolds(bytes, checksum, kind, start, length)) return undefined
  let block: Uint8Array = bytes.subarray(start, start + length)
  if (kind === partCompressedBlock) {
    const size = claimedSize(viewOf(bytes), start, length, compressBytesMax)
    if (size === undefined) return undefined
    const target = new Uint8Array(size)
    const decoder = new BlockDecoder()
    decoder.begin(bytes, viewOf(bytes), start + sizePrefixBytes, start + length, target, viewOf(target), size)
    if (!decoder.finish()) return undefined
    block = target
  }
  return checkBlock(block, 0, block.length) === undefined ? block : undefined
}
