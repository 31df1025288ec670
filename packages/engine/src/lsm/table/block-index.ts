import { compareSlices, sameSlices } from '../../bytes.js'
import { type KeyInterval, successor } from '../../scan-range.js'
import { blockContinues, type IndexColumns } from './index-section.js'

/**
 * Which block may hold a key. The first eight bytes of each separator behind the table's common prefix lie in two typed
 * arrays; a key's own first four are interpolated between the least and the greatest of them to a bucket that names a short
 * run of blocks, which a binary search ends. With evenly spread keys that is one or two cache misses whatever the table's
 * size; with any others no worse than the binary search. Bytes beyond the eighth are looked at only on a tie.
 */
export class BlockIndex {
  readonly blocks: number
  readonly #columns: IndexColumns
  readonly #highs: Uint32Array
  readonly #lows: Uint32Array
  /** `buckets[b]`: the first separator whose bucket is `b` or later. */
  readonly #buckets: Uint32Array
  readonly #leastHigh: number
  readonly #bucketsPerUnit: number

  constructor(columns: IndexColumns) {
    const blocks = columns.flags.length
    this.blocks = blocks
    this.#columns = columns
    this.#highs = new Uint32Array(blocks)
    this.#lows = new Uint32Array(blocks)
    for (let i = 1; i < blocks; i++) {
      const start = columns.separatorStarts[i]!
      this.#highs[i] = fourBytes(columns.bytes, start, columns.separatorEnds[i]!)
      this.#lows[i] = fourBytes(columns.bytes, start + 4, columns.separatorEnds[i]!)
    }
    this.#leastHigh = blocks > 1 ? this.#highs[1]! : 0
    const range = blocks > 1 ? this.#highs[blocks - 1]! - this.#leastHigh + 1 : 1
    this.#bucketsPerUnit = blocks / range
    this.#buckets = new Uint32Array(blocks + 2)
    let bucket = 0
    for (let i = 1; i < blocks; i++) {
      for (const own = this.#bucketOf(this.#highs[i]!); bucket <= own; bucket++) this.#buckets[bucket] = i
    }
    this.#buckets.fill(blocks, bucket)
  }

  /** The least block that may hold a record with a key >= `source[start, end)`; for keys beyond the last it is the last. */
  locate(source: Uint8Array, start: number, end: number): number {
    const { commonPrefix, flags } = this.#columns
    let at = start
    for (let i = 0; i < commonPrefix.length; i++, at++) {
      const difference = at < end ? source[at]! - commonPrefix[i]! : -1
      if (difference !== 0) return difference < 0 ? 0 : this.blocks - 1
    }
    const high = fourBytes(source, at, end)
    const highs = this.#highs
    const bucket = this.#bucketOf(high)
    // The first separator >= the key; none before its bucket is, and the one after its bucket is.
    let low = this.#buckets[bucket]!
    let top = this.#buckets[bucket + 1]!
    while (low < top) {
      const middle = (low + top) >>> 1
      const separatorHigh = highs[middle]!
      if (separatorHigh < high || (separatorHigh === high && this.#compareTied(middle, source, at, end) < 0)) {
        low = middle + 1
      } else {
        top = middle
      }
    }
    if (
      low < this.blocks &&
      highs[low] === high &&
      (flags[low]! & blockContinues) === 0 &&
      this.#compareTied(low, source, at, end) === 0
    ) {
      return low
    }
    return low - 1
  }

  /** Offset in the file of the block that `locate` gives, to be taken from another such offset. */
  approximateOffset(source: Uint8Array): number {
    const { offsets } = this.#columns
    return offsets[this.locate(source, 0, source.length)]!
  }

  /** Which keys the block may have, in a table with these ends. */
  spanOf(block: number, smallestKey: Uint8Array, largestKey: Uint8Array): KeyInterval & { lower: Uint8Array } {
    const lower = block === 0 ? smallestKey : this.#separator(block)
    if (block + 1 === this.blocks) return { lower, upper: successor(largestKey) }
    const upper = this.#separator(block + 1)
    return { lower, upper: this.#columns.flags[block + 1]! & blockContinues ? successor(upper) : upper }
  }

  #separator(block: number): Uint8Array {
    const { bytes, commonPrefix, separatorStarts, separatorEnds } = this.#columns
    return Buffer.concat([commonPrefix, bytes.subarray(separatorStarts[block]!, separatorEnds[block]!)])
  }

  /** Some block begins with a further version of the key that ends the block before. */
  get anyContinues(): boolean {
    return this.#columns.flags.some((flags) => (flags & blockContinues) !== 0)
  }

  /** Block `block` exists and begins with a further version of the given key, which ends the block before. */
  continuesWith(block: number, source: Uint8Array, start: number, end: number): boolean {
    const { bytes, commonPrefix, flags, separatorStarts, separatorEnds } = this.#columns
    if (block >= this.blocks || (flags[block]! & blockContinues) === 0) return false
    const at = start + commonPrefix.length
    return (
      at <= end &&
      sameSlices(commonPrefix, 0, commonPrefix.length, source, start, at) &&
      sameSlices(bytes, separatorStarts[block]!, separatorEnds[block]!, source, at, end)
    )
  }

  /** Heap and off-heap, without the index section itself. */
  get memoryBytes(): number {
    return this.blocks * (4 + 4 + 4 + 8 + 1 + 4 + 4)
  }

  #bucketOf(high: number): number {
    const bucket = Math.floor((high - this.#leastHigh) * this.#bucketsPerUnit)
    return bucket < 0 ? 0 : Math.min(bucket, this.blocks)
  }

  /** Separator `i` against a key with the same first four bytes (or both shorter and padded with zeros). */
  #compareTied(i: number, source: Uint8Array, at: number, end: number): number {
    const { bytes, separatorStarts, separatorEnds } = this.#columns
    const low = this.#lows[i]!
    const keyLow = fourBytes(source, at + 4, end)
    if (low !== keyLow) return low < keyLow ? -1 : 1
    return compareSlices(bytes, separatorStarts[i]!, separatorEnds[i]!, source, at, end)
  }
}

/** Big-endian, so that numbers order as the bytes do; zeros where the slice has ended. */
function fourBytes(bytes: Uint8Array, start: number, end: number): number {
  if (start + 4 <= end) {
    return ((bytes[start]! << 24) | (bytes[start + 1]! << 16) | (bytes[start + 2]! << 8) | bytes[start + 3]!) >>> 0
  }
  let value = 0
  for (let at = start; at < start + 4; at++) value = value * 256 + (at < end ? bytes[at]! : 0)
  return value
}
