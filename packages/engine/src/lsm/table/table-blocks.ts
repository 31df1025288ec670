import { viewOf } from '../../bytes.js'
import { CorruptionError } from '../../errors.js'
import type { ReadFile } from '../../io/storage.js'
import type { BlockCache, CachedBlock } from './block-cache.js'
import { blockOffset, clearFlag, hasFlag, setFlag } from './block-entries.js'
import type { BlockIndex } from './block-index.js'
import { checkBlock } from './block-layout.js'
import { type BlockPlace, FileWindow } from './block-memory.js'
import { PartChecksum } from './checksum.js'
import { checksumBytes, headerBytes, partBlock } from './table-format.js'

/** Stands in memory beside the flags of the file: this process has checked the mapped block, since it opened the table or when it wrote it. */
const checked = 0x80
const readaheadBytes = 256 * 1024
/** A mapped table with fewer unread blocks than this part is no longer worth a first pass over the keys, which costs a third of a read. */
const coldShift = 4

/**
 * How a cursor goes through a table: `near` reads no more than it is asked for, `ahead` expects to go on, `once` moreover
 * gives back the pages of the mapping behind it, or a compaction would make all of its inputs resident.
 */
export type Passage = 'near' | 'ahead' | 'once'

/** What one cursor needs to read blocks past the cache. */
export class BlockScratch {
  readonly passage: Passage
  readonly window: FileWindow
  /** The kernel has been told to fetch the mapping up to here. */
  advisedTo = 0
  /** The kernel has been told to drop the mapping up to here. */
  passedTo = 0

  constructor(passage: Passage) {
    this.passage = passage
    this.window = new FileWindow(passage === 'near' ? 0 : readaheadBytes)
  }
}

/**
 * The data blocks of an open table: found and checked.
 *
 * A stored block's checksum is verified before anything looks into it, and its shape before a record of it is used, so that
 * damage gets no further than here. A mapped block is checked the first time only (by the worker that wrote it, if this process did): a checksum per get would cost
 * more than the get. A block that is read into memory is checked each time it is read.
 */
export class TableBlocks {
  readonly #file: ReadFile
  readonly #entries: Uint32Array
  readonly #count: number
  #unchecked: number
  readonly #checksum: PartChecksum
  readonly #cache: BlockCache
  readonly #cached: Int32Array
  readonly #mapping: Uint8Array | undefined
  readonly #mappingView: DataView | undefined

  constructor(file: ReadFile, fileNumber: number, index: BlockIndex, cache: BlockCache) {
    this.#file = file
    this.#entries = index.entries
    this.#count = index.blocks
    this.#unchecked = index.blocks
    this.#checksum = new PartChecksum(fileNumber)
    this.#cache = cache
    this.#cached = cache.file(fileNumber, index.blocks)
    this.#mapping = file.mapping
    this.#mappingView = file.mapping && viewOf(file.mapping)
  }

  offsetOf(block: number): number {
    return blockOffset(this.#entries, block)
  }

  /** For point reads: in place, or through the cache. Good until the next read of this table or through the same cache. */
  read(block: number, place: BlockPlace): void {
    if (this.#mapping !== undefined) {
      this.#readInPlace(block, this.#mapping, place)
      return
    }
    let content = this.#cache.find(this.#cached, block)
    if (content === undefined) {
      content = this.#fetch(block)
      this.#cache.keep(this.#cached, block, content)
    }
    place.bytes = content.bytes
    place.view = content.view
    place.start = 0
    place.length = content.length
  }

  /**
   * Ahead of `read`: brings a block nearer that would have to come from the disk, resolving when it is there. `undefined`: it is
   * at hand, or (mapped) the kernel has been told to fetch it. An error is left to `read`.
   */
  fetch(block: number): Promise<void> | undefined {
    if (this.#mapping !== undefined) {
      if (!hasFlag(this.#entries, block, checked))
        this.#file.advise(this.offsetOf(block), this.storedBytes(block), 'will-need')
      return undefined
    }
    return this.#cache.find(this.#cached, block) === undefined ? this.#fetchLater(block) : undefined
  }

  /** Blocks are not mapped, or many have not been read yet by this process. */
  get anyCold(): boolean {
    return this.#mapping === undefined || this.#unchecked > this.#count >>> coldShift
  }

  get mapped(): boolean {
    return this.#mapping !== undefined
  }

  /** For cursors: in place, or through their own memory. Good until the next read with the same scratch. */
  readPastCache(block: number, place: BlockPlace, scratch: BlockScratch, backward: boolean): void {
    if (this.#mapping !== undefined) {
      if (scratch.passage !== 'near' && !backward) this.#advise(block, scratch)
      this.#readInPlace(block, this.#mapping, place)
      return
    }
    const { window } = scratch
    const start = this.#load(block, window, backward)
    this.#verify(block, window.memory.bytes, start)
    place.bytes = window.memory.bytes
    place.view = window.memory.view
    place.start = start
    place.length = this.storedBytes(block)
    this.#checkShape(block, place.bytes, start, place.length)
  }

  /** Without its checksum. */
  storedBytes(block: number): number {
    return blockOffset(this.#entries, block + 1) - blockOffset(this.#entries, block) - checksumBytes
  }

  /** Mapped blocks have been checked, by another reader of this process. */
  trust(): void {
    if (this.#mapping === undefined) return
    for (let block = 0; block < this.#count; block++) setFlag(this.#entries, block, checked)
    this.#unchecked = 0
  }

  /** The next read of each block checks it again. */
  distrust(): void {
    for (let block = 0; block < this.#count; block++) clearFlag(this.#entries, block, checked)
    this.#unchecked = this.#count
  }

  #readInPlace(block: number, mapping: Uint8Array, place: BlockPlace): void {
    const start = blockOffset(this.#entries, block)
    if (!hasFlag(this.#entries, block, checked)) {
      this.#verify(block, mapping, start)
      this.#checkShape(block, mapping, start, this.storedBytes(block))
    }
    place.bytes = mapping
    place.view = this.#mappingView!
    place.start = start
    place.length = this.storedBytes(block)
  }

  async #fetchLater(block: number): Promise<void> {
    const length = this.storedBytes(block)
    const content = this.#cache.reserve(length + checksumBytes)
    await this.#file.readLater(content.bytes, 0, length + checksumBytes, this.offsetOf(block))
    this.#verify(block, content.bytes, 0)
    this.#checkShape(block, content.bytes, 0, length)
    this.#cache.keep(this.#cached, block, content)
  }

  /** The cache keeps the checksum too, which nobody looks at again. */
  #fetch(block: number): CachedBlock {
    const length = this.storedBytes(block)
    const content = this.#cache.reserve(length + checksumBytes)
    this.#file.read(content.bytes, 0, length + checksumBytes, this.offsetOf(block))
    this.#verify(block, content.bytes, 0)
    this.#checkShape(block, content.bytes, 0, length)
    return content
  }

  #load(block: number, window: FileWindow, backward: boolean): number {
    const start = this.offsetOf(block)
    const length = this.offsetOf(block + 1) - start
    return window.load(this.#file, start, length, headerBytes, this.offsetOf(this.#count), backward)
  }

  #verify(block: number, bytes: Uint8Array, start: number): void {
    if (hasFlag(this.#entries, block, checked)) return
    const offset = this.offsetOf(block)
    const end = start + this.storedBytes(block)
    const expected = (bytes[end]! | (bytes[end + 1]! << 8) | (bytes[end + 2]! << 16) | (bytes[end + 3]! << 24)) >>> 0
    if (this.#checksum.of(partBlock, offset, bytes.subarray(start, end)) !== expected) {
      throw this.#damaged(block, 'the block does not match its checksum')
    }
  }

  #checkShape(block: number, bytes: Uint8Array, start: number, length: number): void {
    if (hasFlag(this.#entries, block, checked)) return
    const wrong = checkBlock(bytes, start, length)
    if (wrong !== undefined) throw this.#damaged(block, wrong)
    if (this.#mapping === undefined) return
    setFlag(this.#entries, block, checked)
    this.#unchecked--
  }

  #advise(block: number, scratch: BlockScratch): void {
    const offset = this.offsetOf(block)
    if (offset < scratch.advisedTo && offset >= scratch.advisedTo - 2 * readaheadBytes) return
    this.#file.advise(offset, 2 * readaheadBytes, 'will-need')
    scratch.advisedTo = offset + 2 * readaheadBytes
    if (scratch.passage !== 'once') return
    this.#file.advise(scratch.passedTo, offset - scratch.passedTo, 'dont-need')
    scratch.passedTo = offset
  }

  damagedValue(block: number): CorruptionError {
    return this.#damaged(block, 'a compressed value is malformed')
  }

  #damaged(block: number, what: string): CorruptionError {
    return new CorruptionError(this.#file.path, this.offsetOf(block), what)
  }
}
