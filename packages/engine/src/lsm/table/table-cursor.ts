import { compareSlices } from '../../bytes.js'
import { CorruptionError } from '../../errors.js'
import type { KeyInterval } from '../../scan-range.js'
import { FoundRecord } from '../found-record.js'
import type { RecordCursor } from '../record-cursor.js'
import type { BlockIndex } from './block-index.js'
import { blockHeaderBytes, decodeRecord, getUint48, offsetAt } from './block-layout.js'
import { newPlace } from './block-memory.js'
import { BlockScratch, type Passage, type TableBlocks } from './table-blocks.js'
import type { TableSections } from './table-sections.js'
import { ValueDecoder } from './value-decoder.js'

/** A block that cannot be read, and which records it may have. */
export interface DamagedBlock {
  readonly span: KeyInterval & { readonly lower: Uint8Array }
  /** Bounds of the sequences in the table. */
  readonly oldest: number
  readonly newest: number
}

/** Asked about damage: whether to go on without the block. Without a guard, and on `false`, the cursor throws. */
export type DamageGuard = (block: DamagedBlock) => boolean

/**
 * A position in a table. Blocks that are not mapped are read to the cursor's own memory, and compressed values decompressed
 * there: nothing that others do can change what it has lent, and a scan leaves the cache alone.
 */
export class TableCursor extends FoundRecord implements RecordCursor {
  valid = false

  readonly #blocks: TableBlocks
  readonly #index: BlockIndex
  readonly #scratch: BlockScratch
  readonly #place = newPlace()
  #block = -1
  #entry = 0
  #entries = 0
  readonly #baseWrittenAt: number
  readonly #sequenceShift: number
  readonly #sections: Omit<TableSections, 'index'>
  readonly #guard: DamageGuard | undefined
  #decoder: ValueDecoder | undefined
  /** Behind the record in its block, where the next begins. */
  #recordEnd = 0
  #baseSequence = 0
  #offsets = 0
  #offsetBytes = 2

  constructor(
    blocks: TableBlocks,
    index: BlockIndex,
    sections: Omit<TableSections, 'index'>,
    sequenceShift: number,
    passage: Passage,
    guard?: DamageGuard,
  ) {
    super()
    this.#blocks = blocks
    this.#index = index
    this.#baseWrittenAt = sections.properties.baseWrittenAt
    this.#sections = sections
    this.#guard = guard
    this.#sequenceShift = sequenceShift
    this.#scratch = new BlockScratch(passage)
  }

  first(): void {
    this.#toFirstFrom(0)
  }

  last(): void {
    this.#toLastFrom(this.#index.blocks - 1)
  }

  seek(source: Uint8Array, start: number, end: number): void {
    const block = this.#index.locate(source, start, end)
    if (!this.#enter(block, false)) {
      this.#toFirstFrom(block + 1)
      return
    }
    let low = 0
    let top = this.#entries
    while (low < top) {
      const middle = (low + top) >>> 1
      this.#decodeAt(this.#recordAt(middle))
      if (compareSlices(this.keyBytes, this.keyStart, this.keyEnd, source, start, end) < 0) low = middle + 1
      else top = middle
    }
    if (low < this.#entries) this.#moveTo(low)
    else this.#toFirstFrom(this.#block + 1)
  }

  next(): void {
    if (!this.valid) return
    if (this.#entry + 1 < this.#entries) {
      this.#entry++
      this.#lendAt(this.#recordEnd)
    } else {
      this.#toFirstFrom(this.#block + 1)
    }
  }

  previous(): void {
    if (!this.valid) return
    if (this.#entry > 0) {
      this.#moveTo(this.#entry - 1)
    } else {
      this.#toLastFrom(this.#block - 1)
    }
  }

  /** To the first record of the first block from this one on that can be entered. */
  #toFirstFrom(block: number): void {
    for (let next = block; next < this.#index.blocks; next++) {
      if (!this.#enter(next, false)) continue
      this.#moveTo(0)
      return
    }
    this.valid = false
  }

  /** To the last record of the last block up to this one that can be entered. */
  #toLastFrom(block: number): void {
    for (let next = block; next >= 0; next--) {
      if (!this.#enter(next, true)) continue
      this.#moveTo(this.#entries - 1)
      return
    }
    this.valid = false
  }

  /** False: it is damaged, and the guard goes on without it. */
  #enter(block: number, backward: boolean): boolean {
    if (block === this.#block) return true
    this.valid = false
    this.#block = -1
    const place = this.#place
    try {
      this.#blocks.readPastCache(block, place, this.#scratch, backward)
    } catch (error) {
      if (error instanceof CorruptionError && this.#goesWithout(block)) return false
      throw error
    }
    const { bytes, start } = place
    this.#block = block
    this.#entries = bytes[start]! | (bytes[start + 1]! << 8)
    this.#offsetBytes = bytes[start + 2]!
    this.#baseSequence = getUint48(bytes, start + 4) + this.#sequenceShift
    this.#offsets = start + blockHeaderBytes + this.#entries
    return true
  }

  #goesWithout(block: number): boolean {
    if (this.#guard === undefined) return false
    const { smallestKey, largestKey, smallestSequence, largestSequence } = this.#sections.properties
    return this.#guard({
      span: this.#index.spanOf(block, smallestKey, largestKey),
      oldest: smallestSequence + this.#sequenceShift,
      newest: largestSequence + this.#sequenceShift,
    })
  }

  #moveTo(entry: number): void {
    this.#entry = entry
    this.valid = true
    this.#lendAt(this.#recordAt(entry))
  }

  #recordAt(entry: number): number {
    const { bytes, start } = this.#place
    return start + offsetAt(bytes, this.#offsets, this.#offsetBytes, entry)
  }

  /** Not 0: the value is still compressed, of this size. */
  #decodeAt(at: number): number {
    const size = decodeRecord(this.#place.bytes, at, this.#baseSequence, this.#baseWrittenAt, this)
    this.#recordEnd = this.valueEnd
    return size
  }

  #lendAt(at: number): void {
    const size = this.#decodeAt(at)
    if (size === 0) return
    this.#decoder ??= new ValueDecoder(this.#sections.dictionary)
    if (!this.#decoder.lend(this, this.#place.view, size)) throw this.#blocks.damagedValue(this.#block)
  }
}
