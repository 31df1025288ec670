import { compareSlices } from '../../bytes.js'
import { keptCopy } from '../../copy-bytes.js'
import { CorruptionError } from '../../errors.js'
import type { ReadFile } from '../../io/storage.js'
import { hashKey } from '../../key-hash.js'
import { kindDelete } from '../record-cursor.js'
import type { BlockIndex } from './block-index.js'
import { blockHeaderBytes, decodeRecord, fingerprintOf, getUint48, offsetAt } from './block-layout.js'
import { newPlace } from './block-memory.js'
import { filterMayContain } from './bloom-filter.js'
import { extendChecksum } from './checksum.js'
import { BlockScratch, type TableBlocks } from './table-blocks.js'
import { checksumBytes, headerBytes } from './table-format.js'
import { readPart, readSections } from './table-sections.js'
import { ValueDecoder } from './value-decoder.js'

/**
 * Every byte against its checksum, the order of the records, and whatever the table says twice: each key's fingerprint
 * and filter bits, that the index leads to it, and all counts.
 */
export function verifyTable(
  file: ReadFile,
  fileNumber: number,
  index: BlockIndex,
  blocks: TableBlocks,
): { records: number; bytes: number } {
  const { properties, dictionary, filter, filterOffset, index: columns } = readSections(file, fileNumber)
  blocks.distrust()
  const place = newPlace()
  const scratch = new BlockScratch('once')
  const decoder = new ValueDecoder(dictionary)
  const record = {
    keyBytes: place.bytes,
    keyStart: 0,
    keyEnd: 0,
    valueBytes: place.bytes,
    valueStart: 0,
    valueEnd: 0,
    sequence: 0,
    kind: 0,
    expiresAt: 0,
    tag: 0,
    writtenAt: 0,
  }
  let lastKey: Uint8Array = new Uint8Array(0)
  let lastSequence = 0
  const found = {
    entries: 0,
    tombstones: 0,
    smallestSequence: Number.POSITIVE_INFINITY,
    largestSequence: 0,
    keyBytes: 0,
    valueBytes: 0,
    soonestExpiry: 0,
    baseWrittenAt: 0,
    digest: 0,
  }
  const addToDigest = (checksumOffset: number) => {
    found.digest = extendChecksum(found.digest, readPart(file, checksumOffset, checksumBytes)) >>> 0
  }
  for (const { sequences } of properties.ranges.fragments) {
    found.largestSequence = Math.max(found.largestSequence, sequences[0]!)
    found.smallestSequence = Math.min(found.smallestSequence, sequences.at(-1)!)
  }
  if (dictionary.length > 0) addToDigest(headerBytes + dictionary.length)
  for (let block = 0; block < index.blocks; block++) {
    const fail = (what: string): never => {
      throw new CorruptionError(file.path, blocks.offsetOf(block), what)
    }
    blocks.readPastCache(block, place, scratch, false)
    addToDigest(blocks.offsetOf(block) + blocks.storedBytes(block))
    const { bytes, start } = place
    const count = bytes[start]! | (bytes[start + 1]! << 8)
    for (let entry = 0; entry < count; entry++) {
      const offset = offsetAt(bytes, start + blockHeaderBytes + count, bytes[start + 2]!, entry)
      const size = decodeRecord(bytes, start + offset, getUint48(bytes, start + 4), properties.baseWrittenAt, record)
      if (size !== 0 && !decoder.lend(record, place.view, size)) fail(`the value of record ${entry} is malformed`)
      const { keyStart, keyEnd, sequence } = record
      const hash = hashKey(bytes, keyStart, keyEnd)
      const order = compareSlices(lastKey, 0, lastKey.length, bytes, keyStart, keyEnd)
      if (order > 0 || (order === 0 && sequence >= lastSequence)) fail(`record ${entry} of the block is out of order`)
      if (bytes[start + blockHeaderBytes + entry] !== fingerprintOf(hash))
        fail(`record ${entry} has a wrong fingerprint`)
      if (properties.filterProbes !== 0 && !filterMayContain(filter, properties.filterProbes, hash)) {
        fail(`the filter denies the key of record ${entry}`)
      }
      if (order !== 0 && index.locate(bytes, keyStart, keyEnd) !== block) fail(`the index leads past record ${entry}`)
      if (order === 0 && entry === 0 && !index.continuesWith(block, bytes, keyStart, keyEnd)) {
        fail('the index does not know that the block continues the one before')
      }
      if (order !== 0) lastKey = keptCopy(bytes, keyStart, keyEnd)
      lastSequence = sequence
      found.entries++
      if (record.kind === kindDelete) found.tombstones++
      found.smallestSequence = Math.min(found.smallestSequence, sequence)
      found.largestSequence = Math.max(found.largestSequence, sequence)
      found.keyBytes += keyEnd - keyStart
      found.valueBytes += record.valueEnd - record.valueStart
      if (record.expiresAt !== 0 && (found.soonestExpiry === 0 || record.expiresAt < found.soonestExpiry)) {
        found.soonestExpiry = record.expiresAt
      }
      found.baseWrittenAt ||= record.writtenAt
      if (
        found.entries === 1 &&
        compareSlices(properties.smallestKey, 0, properties.smallestKey.length, bytes, keyStart, keyEnd) !== 0
      ) {
        fail('the properties name another smallest key')
      }
    }
  }
  const blocksEnd = blocks.offsetOf(index.blocks)
  const fail = (what: string): never => {
    throw new CorruptionError(file.path, blocksEnd, what)
  }
  const filterEnd = filterOffset + filter.length
  addToDigest(filterEnd)
  addToDigest(filterEnd + checksumBytes + columns.bytes.length)
  for (const name of Object.keys(found) as (keyof typeof found)[]) {
    if (properties[name] !== found[name])
      fail(`the properties say ${name} ${properties[name]}, the blocks ${found[name]}`)
  }
  if (Buffer.compare(lastKey, properties.largestKey) !== 0) fail('the properties name another largest key')
  if (readPart(file, blocksEnd, filterOffset - blocksEnd).some((byte) => byte !== 0)) fail('the padding is not zero')
  return { records: found.entries, bytes: file.size }
}
