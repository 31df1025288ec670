import { compareSlices } from '../../bytes.js'
import { FoundRecord } from '../found-record.js'
import type { RecordCursor } from '../record-cursor.js'
import type { BlockIndex } from './block-index.js'
import { blockHeaderBytes, decodeRecord, getUint48, offsetAt } from './block-layout.js'
import { newPlace } from './block-memory.js'
import { BlockScratch, type Passage, type TableBlocks } from './table-blocks.js'
import type { TableSections } from './table-sections.js'
import { ValueDecoder } from './value-decoder.js'

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
  readonly #dictionary: Uint8Array
  #decoder: ValueDecoder | undefined
  /** Behind the record in its block, where the next begins. */
  #recordEnd = 0
  #baseSequence = 0
  #offsets = 0
  #offsetBytes = 2

  constructor(
    blocks: TableBlocks,
    index: BlockIndex,
    sections: TableSections,
    sequenceShift: number,
    passage: Passage,
  ) {
    super()
    this.#blocks = blocks
    this.#index = index
    this.#baseWrittenAt = sections.properties.baseWrittenAt
    this.#dictionary = sections.dictionary
    this.#sequenceShift = sequenceShift
    this.#scratch = new BlockScratch(passage)
  }

  first(): void {
    this.#enter(0, false)
    this.#moveTo(0)
  }

  last(): void {
    this.#enter(this.#index.blocks - 1, true)
    this.#moveTo(this.#entries - 1)
  }

  seek(source: Uint8Array, start: number, end: number): void {
    this.#enter(this.#index.locate(source, start, end), false)
    let low = 0
    let top = this.#entries
    while (low < top) {
      const middle = (low + top) >>> 1
      this.#decodeAt(this.#recordAt(middle))
      if (compareSlices(this.keyBytes, this.keyStart, this.keyEnd, source, start, end) < 0) low = middle + 1
      else top = middle
    }
    if (low < this.#entries) this.#moveTo(low)
    else this.#nextBlock()
  }

  next(): void {
    if (!this.valid) return
    if (this.#entry + 1 < this.#entries) {
      this.#entry++
      this.#lendAt(this.#recordEnd)
    } else {
      this.#nextBlock()
    }
  }

  previous(): void {
    if (!this.valid) return
    if (this.#entry > 0) {
      this.#moveTo(this.#entry - 1)
    } else if (this.#block > 0) {
      this.#enter(this.#block - 1, true)
      this.#moveTo(this.#entries - 1)
    } else {
      this.valid = false
    }
  }

  #nextBlock(): void {
    if (this.#block + 1 < this.#index.blocks) {
      this.#enter(this.#block + 1, false)
      this.#moveTo(0)
    } else {
      this.valid = false
    }
  }

  #enter(block: number, backward: boolean): void {
    if (block === this.#block) return
    this.valid = false
    this.#block = -1
    const place = this.#place
    this.#blocks.readPastCache(block, place, this.#scratch, backward)
    const { bytes, start } = place
    this.#block = block
    this.#entries = bytes[start]! | (bytes[start + 1]! << 8)
    this.#offsetBytes = bytes[start + 2]!
    this.#baseSequence = getUint48(bytes, start + 4) + this.#sequenceShift
    this.#offsets = start + blockHeaderBytes + this.#entries
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
    this.#decoder ??= new ValueDecoder(this.#dictionary)
    if (!this.#decoder.lend(this, this.#place.view, size)) throw this.#blocks.damagedValue(this.#block)
  }
}
