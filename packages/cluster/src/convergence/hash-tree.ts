import type { RecordHash } from './record-hash.js'

/** Children of a node: one exchange of a level tells 16 subtrees apart. */
export const treeFanout = 16
const fanoutBits = 4

/**
 * What one replica of a partition holds, in one hash per range of key places: two replicas compare the roots, then only the children
 * of what differs, down to leaves, whose keys they then list. So a comparison costs in proportion to the differences, and nothing to
 * speak of when there are none.
 *
 * The hash of a node is the XOR of the hashes of all records under it. So a write changes one hash per level, whatever the
 * order of writes, and nothing is ever computed again from the children: `update` takes the old record's hash and the new one's. After Merkle
 * (1987) in its use by Dynamo; XOR in place of hashing the children, as this guards against accidents, not forgers.
 *
 * Memory: 8 bytes x 16^levels x 16/15: 35 KB with 3 levels. With 3 levels and 300,000 keys in a partition a leaf stands for some
 * 73 keys: what has to be listed for one difference.
 */
export class HashTree {
  readonly levels: number
  /** Pairs (high, low) of every node, level by level from the root. */
  readonly #hashes: Uint32Array
  /** Of each level, the index of its first node. */
  readonly #firstOf: number[]

  /** `levels` below the root, 1 to 5: the leaves are 16^levels. */
  constructor(levels: number) {
    if (!(Number.isInteger(levels) && levels >= 1 && levels <= 5))
      throw new RangeError(`a hash tree has 1 to 5 levels, not ${levels}`)
    this.levels = levels
    this.#firstOf = Array.from({ length: levels + 1 }, (_, level) => (treeFanout ** level - 1) / (treeFanout - 1))
    this.#hashes = new Uint32Array(2 * (this.#firstOf[levels]! + treeFanout ** levels))
  }

  get leaves(): number {
    return treeFanout ** this.levels
  }

  /** The leaf that a key belongs to: the high bits of its place. */
  leafOf(place: number): number {
    return place >>> (32 - fanoutBits * this.levels)
  }

  /** The record under that place was `before` and is `after`; `noRecord` for none. Cost: one XOR per level. */
  update(place: number, before: Readonly<RecordHash>, after: Readonly<RecordHash>): void {
    const high = before.high ^ after.high
    const low = before.low ^ after.low
    for (let level = this.levels, index = this.leafOf(place); level >= 0; level--, index >>>= fanoutBits) {
      const at = 2 * (this.#firstOf[level]! + index)
      this.#hashes[at]! ^= high
      this.#hashes[at + 1]! ^= low
    }
  }

  /** Hashes of the nodes of a level (0: the root), a pair each, in the order asked for. */
  hashesOf(level: number, indexes: readonly number[]): Uint32Array {
    const hashes = new Uint32Array(2 * indexes.length)
    for (const [i, index] of indexes.entries()) {
      const at = this.#at(level, index)
      hashes[2 * i] = this.#hashes[at]!
      hashes[2 * i + 1] = this.#hashes[at + 1]!
    }
    return hashes
  }

  /** Those nodes whose hash is not `theirs`, which is what `hashesOf` gave for the same arguments elsewhere. */
  differing(level: number, indexes: readonly number[], theirs: Uint32Array): number[] {
    if (theirs.length !== 2 * indexes.length)
      throw new RangeError(`${indexes.length} nodes have ${2 * indexes.length} half hashes, not ${theirs.length}`)
    const own = this.hashesOf(level, indexes)
    return indexes.filter((_, i) => own[2 * i] !== theirs[2 * i] || own[2 * i + 1] !== theirs[2 * i + 1])
  }

  /** Everything again as in an empty partition. */
  clear(): void {
    this.#hashes.fill(0)
  }

  #at(level: number, index: number): number {
    const first = this.#firstOf[level]
    if (first === undefined || !(Number.isInteger(index) && index >= 0 && index < treeFanout ** level))
      throw new RangeError(`no node ${index} on level ${level} of a tree with ${this.levels} levels`)
    return 2 * (first + index)
  }
}

/** The children, on the next level, of nodes. */
export const childrenOf = (indexes: readonly number[]): number[] =>
  indexes.flatMap((index) => Array.from({ length: treeFanout }, (_, child) => index * treeFanout + child))
