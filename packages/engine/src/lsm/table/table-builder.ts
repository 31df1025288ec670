import { compareSlices } from '../../bytes.js'
import { keptCopy } from '../../copy-bytes.js'
import type { AppendFile } from '../../io/storage.js'
import { keyBytesMax, valueBytesMax, writtenAtMax } from '../../store.js'
import { noRanges, type RangeTombstones } from '../range/range-tombstones.js'
import { kindDelete, type RecordFields } from '../record-cursor.js'
import { BlockBuilder } from './block-builder.js'
import { buildFilter, filterProbes } from './bloom-filter.js'
import { extendChecksum, PartChecksum } from './checksum.js'
import { blockContinues, encodeIndex, type IndexEntry, separatorBetween } from './index-section.js'
import { RecordSample } from './record-sample.js'
import {
  checksumBytes,
  encodeFooter,
  encodeHeader,
  encodeProperties,
  filterAlignment,
  footerBytes,
  partBlock,
  partDictionary,
  partFilter,
  partIndex,
  partProperties,
  type Section,
  spanOf,
  type TableOptions,
  type TableProperties,
  type TableSummary,
} from './table-format.js'
import { compressedValueBytesMax, ValueCompressor } from './value-compressor.js'
import { makeDictionary } from './value-dictionary.js'

export type { TableOptions, TableSummary } from './table-format.js'

/**
 * Written in pieces of this size, at multiples of it: Linux (ext4 from 6.16 on, XFS) then caches the file in huge pages, and maps it so. A random read of a
 * mapped table of some GiB is dominated by misses of the TLB: it takes 0.28 µs for a cache line then, else 0.48.
 */
const writeBytes = 2 << 20
/** A record with a larger value is a block of its own, written without a copy and never compressed. */
const streamedBytesMin = compressedValueBytesMax
const sequenceMax = 2 ** 48 - 1

/**
 * Writes one table, front to back. Memory: one block, 2 MiB, per record 4 bytes for the filter, and at first 128 KiB of records, which
 * the dictionary is made from.
 */
export class TableBuilder {
  readonly #file: AppendFile
  readonly #options: TableOptions
  readonly #fileNumber: number
  readonly #checksum: PartChecksum
  readonly #block = new BlockBuilder()
  /** Until the dictionary is made. */
  #sample: RecordSample | undefined
  #compressor: ValueCompressor | undefined
  /** Of the block being built. */
  #separator: Uint8Array = new Uint8Array(0)
  #continues = false
  readonly #index: IndexEntry[] = []
  #indexBytes = 0
  #hashes = new Uint32Array(1024)
  #hashCount = 0
  readonly #pending = Buffer.allocUnsafeSlow(writeBytes)
  #pendingLength = 0
  /** Bytes given to the file or pending. */
  #offset = 0
  #lastKey: Uint8Array = new Uint8Array(0)
  #lastSequence = 0
  #olderVersions = 0
  /** Given to `add`; those of the sample are not in the properties yet. */
  #entries = 0
  #finished = false
  readonly #properties: TableProperties

  constructor(file: AppendFile, options: TableOptions, fileNumber: number) {
    this.#file = file
    this.#options = options
    this.#fileNumber = fileNumber
    this.#checksum = new PartChecksum(fileNumber)
    this.#properties = {
      fileBytes: 0,
      entries: 0,
      tombstones: 0,
      smallestKey: new Uint8Array(0),
      largestKey: new Uint8Array(0),
      smallestSequence: Number.POSITIVE_INFINITY,
      largestSequence: 0,
      keyBytes: 0,
      valueBytes: 0,
      soonestExpiry: 0,
      digest: 0,
      blocks: 0,
      dictionaryBytes: 0,
      baseWrittenAt: 0,
      filterProbes: options.bloomBitsPerKey > 0 ? filterProbes(options.bloomBitsPerKey) : 0,
      ranges: noRanges,
    }
    this.#write(encodeHeader(fileNumber))
    if (options.compression === 'lz4') this.#sample = new RecordSample()
  }

  /**
   * Keys ascend, and under one key sequences descend; anything else is a `RangeError`. `hash` is `hashKey` of the key.
   * The bytes of `fields` are copied or written before it returns.
   */
  add(fields: RecordFields, hash: number): void {
    if (this.#finished) throw new Error('this table is finished: records go into another one')
    checkLimits(fields)
    const first = this.#entries === 0
    const order = first ? 1 : this.#compareToLast(fields)
    if (order < 0 || (order === 0 && fields.sequence >= this.#lastSequence)) {
      throw new RangeError('records of a table must have ascending keys, and descending sequences under one key')
    }
    this.#entries++
    this.#lastSequence = fields.sequence
    const streamed = fields.valueEnd - fields.valueStart >= streamedBytesMin
    if (this.#sample !== undefined) {
      if (streamed) this.#endSample()
      else {
        this.#sample.add(fields, hash, order)
        if (this.#sample.full) this.#endSample()
        return
      }
    }
    this.#append(fields, hash, order, streamed)
  }

  /** The dictionary, then the records it was made from. */
  #endSample(): void {
    const sample = this.#sample!
    this.#sample = undefined
    const dictionary = makeDictionary(sample.values())
    this.#compressor = new ValueCompressor(dictionary)
    this.#properties.dictionaryBytes = dictionary.length
    if (dictionary.length > 0) this.#writeSection(partDictionary, dictionary)
    sample.forEach((fields, hash, order) => {
      this.#append(fields, hash, order, false)
    })
  }

  #append(fields: RecordFields, hash: number, order: number, streamed: boolean): void {
    const first = this.#properties.entries === 0
    const valueBytes = fields.valueEnd - fields.valueStart
    const { blockBytes } = this.#options
    if (this.#block.count > 0 && (streamed || this.#block.full || this.#block.lengthWith(fields) > blockBytes)) {
      this.#finishBlock()
    }
    if (this.#block.count === 0 && !first) {
      this.#continues = order === 0
      const { keyBytes, keyStart, keyEnd } = fields
      this.#separator = this.#continues
        ? keptCopy(keyBytes, keyStart, keyEnd)
        : separatorBetween(this.#lastKey, keyBytes, keyStart, keyEnd)
    }
    if (order !== 0) this.#addHash(hash)
    else this.#olderVersions++
    this.#count(fields, valueBytes, first)
    if (streamed) this.#stream(fields, hash)
    else this.#block.add(fields, hash, this.#compressor)
  }

  /** Records that a newer one of the same key in the table hides from all but snapshots. */
  get olderVersions(): number {
    return this.#olderVersions
  }

  /** Size of the file if it were finished now, a little too large. */
  get estimatedBytes(): number {
    return (
      this.#offset +
      this.#block.length +
      (this.#sample?.bytes ?? 0) +
      checksumBytes +
      Math.ceil((this.#hashCount * this.#options.bloomBitsPerKey) / 8) +
      2 * filterAlignment +
      this.#indexBytes +
      this.#properties.smallestKey.length +
      256 +
      footerBytes
    )
  }

  /**
   * Writes what follows the records, range tombstones included. Does not sync: the caller does, before anything refers to
   * the file.
   */
  finish(ranges: RangeTombstones = noRanges): TableSummary {
    const properties = this.#properties
    if (this.#finished || this.#entries === 0) {
      throw new Error(this.#finished ? 'this table is finished' : 'a table holds at least one record')
    }
    if (this.#sample !== undefined) this.#endSample()
    properties.largestKey = this.#block.count > 0 ? new Uint8Array(this.#block.lastKey) : new Uint8Array(this.#lastKey)
    if (this.#block.count > 0) this.#finishBlock()
    this.#finished = true
    properties.blocks = this.#index.length
    properties.baseWrittenAt = this.#block.baseWrittenAt
    this.#enterRanges(ranges)
    const padding = (filterAlignment - (this.#offset % filterAlignment)) % filterAlignment
    this.#write(new Uint8Array(padding))
    const filter = this.#writeSection(partFilter, this.#buildFilter())
    const index = this.#writeSection(
      partIndex,
      encodeIndex(this.#index, sharedPrefix(properties.smallestKey, properties.largestKey)),
    )
    const { blocks: _, dictionaryBytes: _1, filterProbes: _2, baseWrittenAt: _3, ranges: _4, ...summary } = properties
    const propertiesSection = this.#writeSection(partProperties, encodeProperties(properties))
    const footer = { filter, index, properties: propertiesSection }
    this.#write(encodeFooter(footer, this.#fileNumber, this.#offset))
    this.#flush()
    return { ...summary, ...spanOf(ranges), fileBytes: this.#offset }
  }

  #enterRanges(ranges: RangeTombstones): void {
    const properties = this.#properties
    properties.ranges = ranges
    for (const { sequences } of ranges.fragments) {
      properties.largestSequence = Math.max(properties.largestSequence, sequences[0]!)
      properties.smallestSequence = Math.min(properties.smallestSequence, sequences.at(-1)!)
    }
  }

  #compareToLast(fields: RecordFields): number {
    const last = this.#sample?.lastKey ?? (this.#block.count > 0 ? this.#block.lastKey : this.#lastKey)
    return compareSlices(fields.keyBytes, fields.keyStart, fields.keyEnd, last, 0, last.length)
  }

  #count(fields: RecordFields, valueBytes: number, first: boolean): void {
    const properties = this.#properties
    if (first) properties.smallestKey = keptCopy(fields.keyBytes, fields.keyStart, fields.keyEnd)
    properties.entries++
    if (fields.kind === kindDelete) properties.tombstones++
    if (fields.sequence < properties.smallestSequence) properties.smallestSequence = fields.sequence
    if (fields.sequence > properties.largestSequence) properties.largestSequence = fields.sequence
    properties.keyBytes += fields.keyEnd - fields.keyStart
    properties.valueBytes += valueBytes
    const { expiresAt } = fields
    if (expiresAt !== 0 && (properties.soonestExpiry === 0 || expiresAt < properties.soonestExpiry)) {
      properties.soonestExpiry = expiresAt
    }
  }

  #addHash(hash: number): void {
    if (this.#options.bloomBitsPerKey === 0) return
    if (this.#hashCount === this.#hashes.length) {
      const larger = new Uint32Array(this.#hashes.length * 2)
      larger.set(this.#hashes)
      this.#hashes = larger
    }
    this.#hashes[this.#hashCount++] = hash
  }

  #finishBlock(): void {
    this.#lastKey = new Uint8Array(this.#block.lastKey)
    this.#addIndexEntry(this.#writeSection(partBlock, this.#block.finish()).length)
  }

  #stream(fields: RecordFields, hash: number): void {
    const offset = this.#offset
    const head = this.#block.finishWithoutValue(fields, hash)
    const value = fields.valueBytes.subarray(fields.valueStart, fields.valueEnd)
    const checksum = extendChecksum(extendChecksum(this.#checksum.begin(partBlock, offset), head), value)
    this.#lastKey = new Uint8Array(this.#block.lastKey)
    this.#write(head)
    this.#write(value)
    this.#writeChecksum(checksum)
    this.#addIndexEntry(head.length + value.length)
  }

  #addIndexEntry(storedBytes: number): void {
    const separator = this.#separator
    this.#index.push({ storedBytes, flags: this.#continues ? blockContinues : 0, separator })
    this.#indexBytes += 8 + separator.length
  }

  #buildFilter(): Uint8Array {
    const { bloomBitsPerKey } = this.#options
    if (bloomBitsPerKey === 0) return new Uint8Array(0)
    return buildFilter(this.#hashes, this.#hashCount, bloomBitsPerKey)
  }

  #writeSection(kind: number, bytes: Uint8Array): Section {
    const offset = this.#offset
    const checksum = this.#checksum.of(kind, offset, bytes)
    this.#write(bytes)
    this.#writeChecksum(checksum)
    return { offset, length: bytes.length }
  }

  #writeChecksum(checksum: number): void {
    const bytes = Uint8Array.of(checksum, checksum >>> 8, checksum >>> 16, checksum >>> 24)
    this.#properties.digest = extendChecksum(this.#properties.digest, bytes) >>> 0
    this.#write(bytes)
  }

  #write(bytes: Uint8Array): void {
    this.#offset += bytes.length
    let from = 0
    while (bytes.length - from >= writeBytes - this.#pendingLength) {
      const to = from + writeBytes - this.#pendingLength
      if (this.#pendingLength === 0) this.#file.append(bytes.subarray(from, to))
      else {
        this.#pending.set(bytes.subarray(from, to), this.#pendingLength)
        this.#pendingLength = writeBytes
        this.#flush()
      }
      from = to
    }
    this.#pending.set(from === 0 ? bytes : bytes.subarray(from), this.#pendingLength)
    this.#pendingLength += bytes.length - from
  }

  #flush(): void {
    if (this.#pendingLength === 0) return
    this.#file.append(this.#pending.subarray(0, this.#pendingLength))
    this.#pendingLength = 0
  }
}

function checkLimits(fields: RecordFields): void {
  const keyLength = fields.keyEnd - fields.keyStart
  const valueLength = fields.valueEnd - fields.valueStart
  if (keyLength < 1 || keyLength > keyBytesMax) {
    throw new RangeError(`a key has 1 to ${keyBytesMax} bytes, this one has ${keyLength}`)
  }
  if (valueLength < 0 || valueLength > valueBytesMax) {
    throw new RangeError(`a value has at most ${valueBytesMax} bytes, this one has ${valueLength}`)
  }
  if (!(fields.sequence >= 0 && fields.sequence <= sequenceMax)) {
    throw new RangeError(`a sequence lies between 0 and 2^48 - 1, this one is ${fields.sequence}`)
  }
  if (!(fields.expiresAt >= 0 && fields.expiresAt <= Number.MAX_SAFE_INTEGER)) {
    throw new RangeError(`expiresAt lies between 0 and 2^53 - 1, this one is ${fields.expiresAt}`)
  }
  if (!(fields.writtenAt >= 0 && fields.writtenAt <= writtenAtMax)) {
    throw new RangeError(`writtenAt lies between 0 and 2^48 - 1, this one is ${fields.writtenAt}`)
  }
}

function sharedPrefix(a: Uint8Array, b: Uint8Array): Uint8Array {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length++
  return a.subarray(0, length)
}
