import { compareBytes, sameSlices } from '../../bytes.js'
import { CaskadeError } from '../../errors.js'
import type { ReadFile } from '../../io/storage.js'
import type { KeyInterval } from '../../scan-range.js'
import type { RangeTombstones } from '../range/range-tombstones.js'
import type { RecordCursor, RecordFields } from '../record-cursor.js'
import type { BlockCache } from './block-cache.js'
import { BlockIndex } from './block-index.js'
import { blockHeaderBytes, decodeRecord, findFingerprint, fingerprintOf, getUint48, offsetAt } from './block-layout.js'
import { newPlace } from './block-memory.js'
import { filterMayContain } from './bloom-filter.js'
import { type Passage, TableBlocks } from './table-blocks.js'
import { type DamageGuard, TableCursor } from './table-cursor.js'
import type { TableSummary } from './table-format.js'
import { readSections, type TableSections } from './table-sections.js'
import { verifyTable } from './table-verify.js'
import { ValueDecoder } from './value-decoder.js'

/**
 * An open table. It takes over the file and closes it. Reads borrow from the mapping, the cache or a cursor's memory;
 * nothing may be used after `close`.
 */
export class TableReader {
  readonly #file: ReadFile
  readonly #fileNumber: number
  readonly #sections: Omit<TableSections, 'index'>
  readonly #filter: Uint8Array
  readonly #filterProbes: number
  readonly #baseWrittenAt: number
  /** Added to every sequence in the file: an ingested table is written before its place in time is known. */
  readonly #sequenceShift: number
  readonly #index: BlockIndex
  readonly #blocks: TableBlocks
  readonly #place = newPlace()
  #decoder: ValueDecoder | undefined
  /** Of the whole table: some block begins with a further version of the key that ends the block before. */
  readonly #anyContinues: boolean
  /** A filter over a mapping that is gone would deny every key. */
  #closed = false

  /**
   * Verifies header, footer, properties, filter and index; data blocks are verified when first read. Throws
   * `CorruptionError`, or `NewerFormatError`; the file stays the caller's then.
   */
  static open(file: ReadFile, fileNumber: number, cache: BlockCache, sequenceShift = 0): TableReader {
    return new TableReader(file, fileNumber, cache, sequenceShift)
  }

  private constructor(file: ReadFile, fileNumber: number, cache: BlockCache, sequenceShift: number) {
    this.#file = file
    this.#sequenceShift = sequenceShift
    this.#fileNumber = fileNumber
    const { index, ...sections } = readSections(file, fileNumber)
    this.#sections = sections
    this.#filter = sections.filter
    this.#filterProbes = sections.properties.filterProbes
    this.#baseWrittenAt = sections.properties.baseWrittenAt
    this.#index = new BlockIndex(index)
    this.#anyContinues = this.#index.anyContinues
    this.#blocks = new TableBlocks(file, fileNumber, this.#index, cache)
  }

  get summary(): TableSummary {
    return this.#sections.properties
  }

  get ranges(): RangeTombstones {
    return this.#sections.properties.ranges
  }

  /**
   * Ahead of `find`: brings the block nearer that would hold the key. `absent`: the filter denies the key; `ready`: there is nothing
   * to wait for.
   */
  fetch(hash: number, source: Uint8Array, start: number, end: number): 'absent' | 'ready' | Promise<void> {
    if (this.#closed) throw this.#closedError()
    if (this.#filterProbes !== 0 && !filterMayContain(this.#filter, this.#filterProbes, hash)) return 'absent'
    return this.#blocks.fetch(this.#index.locate(source, start, end)) ?? 'ready'
  }

  /** Some block may have to come from the disk. */
  get anyCold(): boolean {
    return this.#blocks.anyCold
  }

  get mapped(): boolean {
    return this.#blocks.mapped
  }

  /**
   * Lends the newest version of key `source[start, end)` whose sequence is at most `maxSequence` to `target`: false, and
   * `target` undefined, if there is none. A tombstone is found like a value. `hash` is `hashKey` of the key. What is lent
   * is good until the next `find` in any table with the same cache. No allocation where blocks are mapped.
   */
  find(
    hash: number,
    source: Uint8Array,
    start: number,
    end: number,
    maxSequence: number,
    target: RecordFields,
  ): boolean {
    if (this.#closed) throw this.#closedError()
    if (this.#filterProbes !== 0 && !filterMayContain(this.#filter, this.#filterProbes, hash)) return false
    let block = this.#index.locate(source, start, end)
    const place = this.#place
    const fingerprint = fingerprintOf(hash)
    do {
      this.#blocks.read(block, place)
      const { bytes, start: blockStart } = place
      const count = bytes[blockStart]! | (bytes[blockStart + 1]! << 8)
      const offsetBytes = bytes[blockStart + 2]!
      const fingerprints = blockStart + blockHeaderBytes
      const offsets = fingerprints + count
      for (
        let entry = findFingerprint(place.view, fingerprints, count, 0, fingerprint);
        entry < count;
        entry = findFingerprint(place.view, fingerprints, count, entry + 1, fingerprint)
      ) {
        const record = blockStart + offsetAt(bytes, offsets, offsetBytes, entry)
        const size = decodeRecord(
          bytes,
          record,
          getUint48(bytes, blockStart + 4) + this.#sequenceShift,
          this.#baseWrittenAt,
          target,
        )
        if (target.sequence <= maxSequence && sameSlices(bytes, target.keyStart, target.keyEnd, source, start, end)) {
          if (size !== 0) this.#decompress(block, target, size)
          return true
        }
      }
      block++
    } while (this.#anyContinues && this.#index.continuesWith(block, source, start, end))
    return false
  }

  #decompress(block: number, target: RecordFields, size: number): void {
    this.#decoder ??= new ValueDecoder(this.#sections.dictionary)
    if (!this.#decoder.lend(target, this.#place.view, size)) throw this.#blocks.damagedValue(block)
  }

  /** Cursors never go through the cache. */
  cursor(passage: Passage = 'near', guard?: DamageGuard): RecordCursor {
    if (this.#closed) throw this.#closedError()
    return new TableCursor(this.#blocks, this.#index, this.#sections, this.#sequenceShift, passage, guard)
  }

  /** Bytes of the file that hold the records of a range, to a block at each end; the whole file for all of its records. */
  approximateSize({ lower, upper }: KeyInterval): number {
    const { smallestKey, largestKey } = this.summary
    const fromStart = lower === undefined || compareBytes(lower, smallestKey) <= 0
    const toEnd = upper === undefined || compareBytes(upper, largestKey) > 0
    if (
      (lower !== undefined && compareBytes(lower, largestKey) > 0) ||
      (upper !== undefined && compareBytes(upper, smallestKey) <= 0)
    )
      return 0
    const start = fromStart ? 0 : this.#index.approximateOffset(lower)
    const end = toEnd ? this.#file.size : this.#index.approximateOffset(upper)
    return Math.max(end - start, 0)
  }

  /** Checks every block that is mapped, as its first read would. Throws `CorruptionError`. */
  check(): void {
    for (let block = 0; block < this.#index.blocks; block++) this.#blocks.read(block, this.#place)
  }

  /** As after `check`: somebody else has done it since the file was written. */
  trust(): void {
    this.#blocks.trust()
  }

  /** Reads the whole file against its checksums, and all that it says against itself. Throws `CorruptionError`. */
  verify(): { records: number; bytes: number } {
    return verifyTable(this.#file, this.#fileNumber, this.#index, this.#blocks)
  }

  /** Memory besides the mapping and the cache. */
  get memoryBytes(): number {
    const { dictionary, filter } = this.#sections
    const unmapped = this.#file.mapping === undefined ? dictionary.length + filter.length + this.#index.sectionBytes : 0
    return this.#index.memoryBytes + unmapped + (this.#decoder?.bytes.length ?? 0)
  }

  /** Closes the file; its blocks stay in the cache until `drop` or eviction. */
  close(): void {
    this.#closed = true
    this.#file.close()
  }

  #closedError(): CaskadeError {
    return new CaskadeError('CASKADE_CLOSED', `${this.#file.path} is closed: reads need the table to be open`)
  }
}
