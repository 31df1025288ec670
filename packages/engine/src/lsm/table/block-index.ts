import { compareSlices, sameSlices } from '../../bytes.js'
import { type KeyInterval, successor } from '../../scan-range.js'
import { blockEntries, blockOffset, entryHigh, entryLow, entryWords, fourBytes, hasFlag } from './block-entries.js'
import { blockContinues, type IndexColumns } from './index-section.js'
import { KeyRank } from './key-rank.js'

/** On the average: with evenly spread keys a guess within a bucket is off by one or two. */
const blocksPerBucket = 16
/** Numbers that `KeyRank` should tell apart, per block. */
const ranksPerBlock = 64

/**
 * Which block may hold a key. The key's rank is interpolated between those of the separators, piece by piece, to a guess, from where
 * a search in doubling steps begins (a learned index: Kipf et al., "RadixSpline", 2020, with pieces of equal length). With keys that are spread evenly over
 * their alphabet it takes one or two cache misses, whatever the table's size: the pieces are few, and the entries around
 * the guess are neighbours. With any others it is a binary search.
 */
export class BlockIndex {
  readonly blocks: number
  /** `blockEntries`; `TableBlocks` keeps flags of its own in them. */
  readonly entries: Uint32Array
  readonly #bytes: Uint8Array
  readonly #commonPrefix: Uint8Array
  readonly #separatorStarts: Uint32Array
  readonly #separatorEnds: Uint32Array
  readonly #rank: KeyRank
  readonly #leastRank: number
  readonly #bucketsPerRank: number
  /** `buckets[b]`: how many separators lie before bucket `b`. */
  readonly #buckets: Uint32Array

  constructor(columns: IndexColumns) {
    const { bytes, commonPrefix, flags, separatorStarts, separatorEnds } = columns
    const blocks = flags.length
    this.blocks = blocks
    this.entries = blockEntries(columns)
    this.#bytes = bytes
    this.#commonPrefix = commonPrefix
    this.#separatorStarts = separatorStarts
    this.#separatorEnds = separatorEnds
    // Block 0 has no separator.
    this.#rank = new KeyRank(bytes, separatorStarts.subarray(1), separatorEnds.subarray(1), ranksPerBlock * blocks)
    const rankOf = (block: number) => this.#rank.of(bytes, separatorStarts[block]!, separatorEnds[block]!)
    this.#leastRank = blocks > 1 ? rankOf(1) : 0
    const ranks = blocks > 1 ? rankOf(blocks - 1) - this.#leastRank + 1 : 1
    const buckets = Math.ceil(blocks / blocksPerBucket)
    this.#bucketsPerRank = buckets / ranks
    this.#buckets = new Uint32Array(buckets + 1).fill(blocks - 1)
    const place = (block: number) => (rankOf(block) - this.#leastRank) * this.#bucketsPerRank
    let bucket = 0
    for (let block = 1; block < blocks; block++)
      for (const own = Math.min(place(block), buckets); bucket <= own; bucket++) this.#buckets[bucket] = block - 1
  }

  /** The least block that may hold a record with a key >= `source[start, end)`; for keys beyond the last it is the last. */
  locate(source: Uint8Array, start: number, end: number): number {
    const commonPrefix = this.#commonPrefix
    let at = start
    for (let i = 0; i < commonPrefix.length; i++, at++) {
      const difference = at < end ? source[at]! - commonPrefix[i]! : -1
      if (difference !== 0) return difference < 0 ? 0 : this.blocks - 1
    }
    const high = fourBytes(source, at, end)
    const block = this.#lastBefore(this.#guess(source, at, end), high, source, at, end)
    const next = block + 1
    return next < this.blocks &&
      this.entries[next * entryWords + entryHigh] === high &&
      !hasFlag(this.entries, next, blockContinues) &&
      this.#compareTied(next, source, at, end) === 0
      ? next
      : block
  }

  #guess(source: Uint8Array, at: number, end: number): number {
    const buckets = this.#buckets
    const place = (this.#rank.of(source, at, end) - this.#leastRank) * this.#bucketsPerRank
    if (place <= 0) return 0
    const bucket = place | 0
    if (bucket >= buckets.length - 1) return this.blocks - 1
    const before = buckets[bucket]!
    return (before + (buckets[bucket + 1]! - before) * (place - bucket) + 0.5) | 0
  }

  /** The last block whose separator is less than the key, or 0. */
  #lastBefore(guess: number, high: number, source: Uint8Array, at: number, end: number): number {
    let low = guess
    let top = guess + 1
    if (this.#isBefore(guess, high, source, at, end)) {
      for (let step = 1; top < this.blocks && this.#isBefore(top, high, source, at, end); step *= 2) {
        low = top
        top = Math.min(top + step, this.blocks)
      }
    } else {
      top = guess
      low = guess - 1
      for (let step = 1; !this.#isBefore(low, high, source, at, end); step *= 2) {
        top = low
        low = Math.max(low - step, 0)
      }
    }
    while (top - low > 1) {
      const middle = (low + top) >>> 1
      if (this.#isBefore(middle, high, source, at, end)) low = middle
      else top = middle
    }
    return low
  }

  /** The separator of a block is less than the key; that of block 0 always is. */
  #isBefore(block: number, high: number, source: Uint8Array, at: number, end: number): boolean {
    const separatorHigh = this.entries[block * entryWords + entryHigh]!
    if (separatorHigh !== high) return separatorHigh < high
    return block === 0 || this.#compareTied(block, source, at, end) < 0
  }

  /** Offset in the file of the block that `locate` gives, to be taken from another such offset. */
  approximateOffset(source: Uint8Array): number {
    return blockOffset(this.entries, this.locate(source, 0, source.length))
  }

  /** Which keys the block may have, in a table with these ends. */
  spanOf(block: number, smallestKey: Uint8Array, largestKey: Uint8Array): KeyInterval & { lower: Uint8Array } {
    const lower = block === 0 ? smallestKey : this.#separator(block)
    if (block + 1 === this.blocks) return { lower, upper: successor(largestKey) }
    const upper = this.#separator(block + 1)
    return { lower, upper: hasFlag(this.entries, block + 1, blockContinues) ? successor(upper) : upper }
  }

  #separator(block: number): Uint8Array {
    const bytes = this.#bytes.subarray(this.#separatorStarts[block]!, this.#separatorEnds[block]!)
    return Buffer.concat([this.#commonPrefix, bytes])
  }

  /** Some block begins with a further version of the key that ends the block before. */
  get anyContinues(): boolean {
    for (let block = 0; block < this.blocks; block++) if (hasFlag(this.entries, block, blockContinues)) return true
    return false
  }

  /** Block `block` exists and begins with a further version of the given key, which ends the block before. */
  continuesWith(block: number, source: Uint8Array, start: number, end: number): boolean {
    if (block >= this.blocks || !hasFlag(this.entries, block, blockContinues)) return false
    const commonPrefix = this.#commonPrefix
    const at = start + commonPrefix.length
    return (
      at <= end &&
      sameSlices(commonPrefix, 0, commonPrefix.length, source, start, at) &&
      sameSlices(this.#bytes, this.#separatorStarts[block]!, this.#separatorEnds[block]!, source, at, end)
    )
  }

  /** Of the index section, which it keeps. */
  get sectionBytes(): number {
    return this.#bytes.length
  }

  /** Heap and off-heap, without the index section itself. */
  get memoryBytes(): number {
    const { entries } = this
    return entries.byteLength + this.#buckets.byteLength + this.#rank.byteLength + 8 * this.blocks
  }

  /** A separator against a key with the same first four bytes (or both shorter and padded with zeros). */
  #compareTied(block: number, source: Uint8Array, at: number, end: number): number {
    const low = this.entries[block * entryWords + entryLow]!
    const keyLow = fourBytes(source, at + 4, end)
    if (low !== keyLow) return low < keyLow ? -1 : 1
    return compareSlices(this.#bytes, this.#separatorStarts[block]!, this.#separatorEnds[block]!, source, at, end)
  }
}
