/** A block in memory of the cache, decompressed: valid until the next block is reserved from the same cache. */
export interface CachedBlock {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** Bytes of `bytes` in use. */
  length: number
}

export interface BlockCacheStats {
  hits: number
  misses: number
  /** Off-heap bytes held, never more than `bytesMax`. */
  bytes: number
  bytesMax: number
  blocks: number
}

/** Capacities are rounded up to it, so that a block evicted from the cache mostly fits the one that needed its place. */
const capacityUnit = 512
/** A block larger than this part of the cache would push out too much: it is not kept. */
const largestPart = 1 / 8
const none = 0

/**
 * Blocks in off-heap memory, bounded in bytes, shared by all tables of a store. Eviction is SIEVE (Zhang et al., NSDI 2024):
 * one queue in order of arrival and a hand that passes over what was used since it last came by. A block that is read
 * once leaves first, so one scan does not empty the cache. A hit costs two array loads and one store: each file has an array
 * from block number to slot, so nothing is hashed.
 */
export class BlockCache {
  readonly bytesMax: number
  /** Slot of each block, by file number. Slots start at 1; 0 is none. */
  readonly #files = new Map<number, Int32Array>()
  readonly #slots: (CachedBlock | undefined)[] = [undefined]
  #fileOf: (Int32Array | undefined)[] = [undefined]
  #blockOf: Int32Array = new Int32Array(1)
  #used = new Uint8Array(1)
  /** Towards newer blocks. */
  #newer: Int32Array = new Int32Array(1)
  #older: Int32Array = new Int32Array(1)
  #newest = none
  #oldest = none
  #hand = none
  readonly #free: number[] = []
  #bytes = 0
  #blocks = 0
  #hits = 0
  #misses = 0

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  /** Handle of a file for `find` and `keep`; the same one when asked again. */
  file(fileNumber: number, blocks: number): Int32Array {
    let file = this.#files.get(fileNumber)
    if (file === undefined) {
      file = new Int32Array(blocks)
      this.#files.set(fileNumber, file)
    }
    return file
  }

  find(file: Int32Array, block: number): CachedBlock | undefined {
    const slot = file[block]!
    if (slot === none) {
      this.#misses++
      return undefined
    }
    this.#hits++
    this.#used[slot] = 1
    return this.#slots[slot]
  }

  /** Memory for `length` bytes, made by evicting; the cache forgets it unless it is given back with `keep`. */
  reserve(length: number): CachedBlock {
    const capacity = Math.ceil(length / capacityUnit) * capacityUnit
    if (capacity <= this.bytesMax * largestPart) {
      while (this.#bytes + capacity > this.bytesMax) {
        const evicted = this.#evict()
        if (evicted.bytes.length === capacity) {
          evicted.length = length
          return evicted
        }
      }
    }
    const bytes = Buffer.allocUnsafeSlow(capacity)
    return { bytes, view: new DataView(bytes.buffer), length }
  }

  /** Makes a reserved block, now filled, the content of `block`. */
  keep(file: Int32Array, block: number, content: CachedBlock): void {
    const capacity = content.bytes.length
    if (capacity > this.bytesMax * largestPart || file[block] !== none) return
    // Of several that were reserved at once, each made room for itself only.
    while (this.#bytes + capacity > this.bytesMax) this.#evict()
    const slot = this.#free.pop() ?? this.#newSlot()
    this.#slots[slot] = content
    this.#fileOf[slot] = file
    this.#blockOf[slot] = block
    this.#used[slot] = 0
    file[block] = slot
    this.#older[slot] = this.#newest
    this.#newer[slot] = none
    if (this.#newest !== none) this.#newer[this.#newest] = slot
    else this.#oldest = slot
    this.#newest = slot
    this.#bytes += capacity
    this.#blocks++
  }

  /** Forgets all blocks of a file: it is gone. */
  drop(fileNumber: number): void {
    const file = this.#files.get(fileNumber)
    if (file === undefined) return
    this.#files.delete(fileNumber)
    for (const slot of file) if (slot !== none) this.#remove(slot)
  }

  get stats(): BlockCacheStats {
    return {
      hits: this.#hits,
      misses: this.#misses,
      bytes: this.#bytes,
      bytesMax: this.bytesMax,
      blocks: this.#blocks,
    }
  }

  #evict(): CachedBlock {
    let slot = this.#hand === none ? this.#oldest : this.#hand
    while (this.#used[slot] === 1) {
      this.#used[slot] = 0
      slot = this.#newer[slot] === none ? this.#oldest : this.#newer[slot]!
    }
    this.#hand = slot
    return this.#remove(slot)
  }

  #remove(slot: number): CachedBlock {
    const content = this.#slots[slot]!
    const newer = this.#newer[slot]!
    const older = this.#older[slot]!
    if (newer !== none) this.#older[newer] = older
    else this.#newest = older
    if (older !== none) this.#newer[older] = newer
    else this.#oldest = newer
    if (this.#hand === slot) this.#hand = newer
    this.#fileOf[slot]![this.#blockOf[slot]!] = none
    this.#fileOf[slot] = undefined
    this.#slots[slot] = undefined
    this.#free.push(slot)
    this.#bytes -= content.bytes.length
    this.#blocks--
    return content
  }

  #newSlot(): number {
    const slot = this.#slots.length
    this.#slots.push(undefined)
    if (slot >= this.#used.length) {
      this.#blockOf = doubled(this.#blockOf)
      this.#newer = doubled(this.#newer)
      this.#older = doubled(this.#older)
      const used = new Uint8Array(this.#used.length * 2)
      used.set(this.#used)
      this.#used = used
    }
    return slot
  }
}

function doubled(array: Int32Array): Int32Array {
  const larger = new Int32Array(array.length * 2)
  larger.set(array)
  return larger
}
