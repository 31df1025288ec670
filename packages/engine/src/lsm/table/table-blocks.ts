import { viewOf } from '../../bytes.js'
import { CorruptionError } from '../../errors.js'
import type { ReadFile } from '../../io/storage.js'
import type { BlockCache, CachedBlock } from './block-cache.js'
import { checkBlock } from './block-layout.js'
import { type BlockPlace, FileWindow, ReusedBytes } from './block-memory.js'
import { PartChecksum } from './checksum.js'
import { blockCompressed, type IndexColumns } from './index-section.js'
import { BlockDecoder, claimedSize, sizePrefixBytes } from './lz4-block.js'
import { checksumBytes, headerBytes, partBlock, partCompressedBlock } from './table-format.js'

/** Stands in memory beside the flags of the file: this process has checked the mapped block since it opened the table. */
const checked = 0x80
const readaheadBytes = 256 * 1024
/**
 * Mapped blocks up to this size are decompressed anew for each point read, as far as the read needs: less work than it
 * looks, no memory, and the compressed block is more likely in the processor's cache. Larger ones go through the cache.
 */
const decodedAnewBytesMax = 8 * 1024

/** What one cursor needs to read blocks past the cache. */
export class BlockScratch {
  readonly readahead: boolean
  readonly window: FileWindow
  readonly block = new ReusedBytes()
  /** The kernel has been told to fetch the mapping up to here. */
  advisedTo = 0

  constructor(readahead: boolean) {
    this.readahead = readahead
    this.window = new FileWindow(readahead ? readaheadBytes : 0)
  }
}

/**
 * The data blocks of an open table: found, checked and decompressed.
 *
 * A stored block's checksum is verified before anything looks into it, and its shape before a record of it is used, so that
 * damage gets no further than here. A mapped block is checked the first time only: a checksum per get would cost
 * more than the get. A block that is read into memory is checked each time it is read.
 */
export class TableBlocks {
  readonly #file: ReadFile
  readonly #offsets: Float64Array
  readonly #flags: Uint8Array
  readonly #decompressedBytesMax: number
  readonly #checksum: PartChecksum
  readonly #cache: BlockCache
  readonly #cached: Int32Array
  readonly #mapping: Uint8Array | undefined
  readonly #mappingView: DataView | undefined
  /** Stored blocks on their way from the file, through decompression, to the cache. */
  readonly #window = new FileWindow(0)
  readonly #decoder = new BlockDecoder()
  readonly #scratch = new ReusedBytes()

  constructor(
    file: ReadFile,
    fileNumber: number,
    columns: IndexColumns,
    decompressedBytesMax: number,
    cache: BlockCache,
  ) {
    this.#file = file
    this.#offsets = columns.offsets
    this.#flags = columns.flags
    this.#decompressedBytesMax = decompressedBytesMax
    this.#checksum = new PartChecksum(fileNumber)
    this.#cache = cache
    this.#cached = cache.file(fileNumber, columns.flags.length)
    this.#mapping = file.mapping
    this.#mappingView = file.mapping && viewOf(file.mapping)
  }

  offsetOf(block: number): number {
    return this.#offsets[block]!
  }

  /**
   * For point reads: in place, decompressed as far as `need` is asked to, or through the cache. Good until the next read
   * of this table or through the same cache.
   */
  read(block: number, place: BlockPlace): void {
    place.decoder = undefined
    if (this.#mapping !== undefined) {
      if ((this.#flags[block]! & blockCompressed) === 0) {
        this.#readInPlace(block, this.#mapping, place)
        return
      }
      if (this.#beginDecoding(block, this.#mapping, place)) return
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

  /** Makes the first `length` bytes of the block that was read present. */
  need(block: number, place: BlockPlace, length: number): void {
    if (place.decoder?.advance(length) === false) throw this.#damaged(block, 'a compressed block is malformed')
  }

  #beginDecoding(block: number, mapping: Uint8Array, place: BlockPlace): boolean {
    const view = this.#mappingView!
    const start = this.#offsets[block]!
    this.#verify(block, mapping, start)
    const size = this.#sizeOf(block, view, start)
    if (size > decodedAnewBytesMax) return false
    const scratch = this.#scratch
    scratch.ensure(size)
    place.bytes = scratch.bytes
    place.view = scratch.view
    place.start = 0
    place.length = size
    if ((this.#flags[block]! & checked) === 0) {
      this.#decompress(block, mapping, view, start, scratch.bytes, scratch.view, size)
      return true
    }
    const end = start + this.storedBytes(block)
    this.#decoder.begin(mapping, view, start + sizePrefixBytes, end, scratch.bytes, scratch.view, size)
    place.decoder = this.#decoder
    return true
  }

  /** For cursors: in place, or through their own memory. Good until the next read with the same scratch. */
  readPastCache(block: number, place: BlockPlace, scratch: BlockScratch, backward: boolean): void {
    const mapping = this.#mapping
    const compressed = (this.#flags[block]! & blockCompressed) !== 0
    if (mapping !== undefined && scratch.readahead && !backward) this.#advise(block, scratch)
    if (mapping !== undefined && !compressed) {
      this.#readInPlace(block, mapping, place)
      return
    }
    let bytes = mapping
    let view = this.#mappingView
    let start = this.#offsets[block]!
    if (bytes === undefined || view === undefined) {
      start = this.#load(block, scratch.window, backward)
      bytes = scratch.window.memory.bytes
      view = scratch.window.memory.view
    }
    this.#verify(block, bytes, start)
    if (!compressed) {
      place.bytes = bytes
      place.view = view
      place.start = start
      place.length = this.storedBytes(block)
      this.#checkShape(block, bytes, start, place.length)
      return
    }
    const size = this.#sizeOf(block, view, start)
    scratch.block.ensure(size)
    place.bytes = scratch.block.bytes
    place.view = scratch.block.view
    place.start = 0
    place.length = size
    this.#decompress(block, bytes, view, start, place.bytes, place.view, size)
  }

  /** Without its checksum. */
  storedBytes(block: number): number {
    return this.#offsets[block + 1]! - this.#offsets[block]! - checksumBytes
  }

  /** The next read of each block checks it again. */
  distrust(): void {
    for (let block = 0; block < this.#flags.length; block++) this.#flags[block]! &= ~checked
  }

  #readInPlace(block: number, mapping: Uint8Array, place: BlockPlace): void {
    const start = this.#offsets[block]!
    if ((this.#flags[block]! & checked) === 0) {
      this.#verify(block, mapping, start)
      this.#checkShape(block, mapping, start, this.storedBytes(block))
    }
    place.bytes = mapping
    place.view = this.#mappingView!
    place.start = start
    place.length = this.storedBytes(block)
  }

  #fetch(block: number): CachedBlock {
    if ((this.#flags[block]! & blockCompressed) === 0) {
      const length = this.storedBytes(block)
      const content = this.#cache.reserve(length + checksumBytes)
      this.#file.read(content.bytes, 0, length + checksumBytes, this.#offsets[block]!)
      this.#verify(block, content.bytes, 0)
      this.#checkShape(block, content.bytes, 0, length)
      return content
    }
    let bytes = this.#mapping
    let view = this.#mappingView
    let start = this.#offsets[block]!
    if (bytes === undefined || view === undefined) {
      start = this.#load(block, this.#window, false)
      bytes = this.#window.memory.bytes
      view = this.#window.memory.view
    }
    this.#verify(block, bytes, start)
    const size = this.#sizeOf(block, view, start)
    const content = this.#cache.reserve(size)
    this.#decompress(block, bytes, view, start, content.bytes, content.view, size)
    return content
  }

  #load(block: number, window: FileWindow, backward: boolean): number {
    const offsets = this.#offsets
    const start = offsets[block]!
    const length = offsets[block + 1]! - start
    return window.load(this.#file, start, length, headerBytes, offsets[offsets.length - 1]!, backward)
  }

  #verify(block: number, bytes: Uint8Array, start: number): void {
    const flags = this.#flags[block]!
    if ((flags & checked) !== 0) return
    const offset = this.#offsets[block]!
    const end = start + this.storedBytes(block)
    const kind = (flags & blockCompressed) === 0 ? partBlock : partCompressedBlock
    const expected = (bytes[end]! | (bytes[end + 1]! << 8) | (bytes[end + 2]! << 16) | (bytes[end + 3]! << 24)) >>> 0
    if (this.#checksum.of(kind, offset, bytes.subarray(start, end)) !== expected) {
      throw this.#damaged(block, 'the block does not match its checksum')
    }
  }

  #sizeOf(block: number, stored: DataView, start: number): number {
    const size = claimedSize(stored, start, this.storedBytes(block), this.#decompressedBytesMax)
    if (size === undefined) throw this.#damaged(block, 'a compressed block claims an impossible size')
    return size
  }

  #decompress(
    block: number,
    bytes: Uint8Array,
    view: DataView,
    start: number,
    target: Uint8Array,
    targetView: DataView,
    size: number,
  ): void {
    const end = start + this.storedBytes(block)
    this.#decoder.begin(bytes, view, start + sizePrefixBytes, end, target, targetView, size)
    if (!this.#decoder.finish()) throw this.#damaged(block, 'a compressed block is malformed')
    this.#checkShape(block, target, 0, size)
  }

  #checkShape(block: number, bytes: Uint8Array, start: number, length: number): void {
    if ((this.#flags[block]! & checked) !== 0) return
    const wrong = checkBlock(bytes, start, length)
    if (wrong !== undefined) throw this.#damaged(block, wrong)
    if (this.#mapping !== undefined) this.#flags[block]! |= checked
  }

  #advise(block: number, scratch: BlockScratch): void {
    const offset = this.#offsets[block]!
    if (offset < scratch.advisedTo && offset >= scratch.advisedTo - 2 * readaheadBytes) return
    this.#file.advise(offset, 2 * readaheadBytes, 'will-need')
    scratch.advisedTo = offset + 2 * readaheadBytes
  }

  #damaged(block: number, what: string): CorruptionError {
    return new CorruptionError(this.#file.path, this.#offsets[block]!, what)
  }
}
