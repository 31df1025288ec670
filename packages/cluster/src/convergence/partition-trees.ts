import type { RecordObserver } from '../replication/local-replica.js'
import type { RoutingTable } from '../replication/route.js'
import { bucketOfKey } from '../replication/stored-key.js'
import type { ReplicaStore } from '../store/replica-store.js'
import { storeErrorCode } from '../store/store-error.js'
import { isMortal } from './collectable.js'
import { HashTree } from './hash-tree.js'
import { noRecord, recordHash, treePlaceOf } from './record-hash.js'

/** 4096 leaves, see docs/cluster/hash-tree.md. The same on every node. */
export const treeLevels = 3
const pageSize = 128

/** The hash trees of one partition: one for each number of replicas that buckets have, since each has other owners. */
export class PartitionTree {
  /** Scanned up to here; `undefined`: nothing yet. */
  cursor: Uint8Array | undefined
  isReady = false
  /** A scan met a record that it could not read: until that is healed there is no tree. */
  isDamaged = false
  /** Records that are deleted, or will expire: what there may be to collect. */
  mortals = 0
  /** By n. */
  readonly classes: (HashTree | undefined)[] = []

  of(n: number): HashTree {
    let tree = this.classes[n]
    if (tree === undefined) {
      tree = new HashTree(treeLevels)
      this.classes[n] = tree
    }
    return tree
  }

  holdsAny(n: number): boolean {
    const root = this.classes[n]?.hashesOf(0, [0])
    return root !== undefined && (root[0] !== 0 || root[1] !== 0)
  }
}

/**
 * Hash trees in memory, made by a scan when they are first asked for, kept up to date by every change from then on. While a partition is being scanned,
 * changes behind the cursor count and those before it are still to be met.
 */
export class PartitionTrees implements RecordObserver {
  readonly #store: ReplicaStore
  #routes: RoutingTable
  readonly #trees: (PartitionTree | undefined)[] = []
  /** Partitions with a damaged tree. */
  readonly unreadable = new Set<number>()
  /** A scan has got through the partition. */
  onReadable: (partition: number) => void = () => {}
  readonly #building = new Set<number>()
  readonly #before = { high: 0, low: 0 }
  readonly #after = { high: 0, low: 0 }

  constructor(store: ReplicaStore, routes: RoutingTable) {
    this.#store = store
    this.#routes = routes
  }

  get isBuilding(): boolean {
    return this.#building.size > 0
  }

  /** Begins to build it if there is none: see `isReady`. */
  of(partition: number): PartitionTree {
    let tree = this.#trees[partition]
    if (tree === undefined) {
      tree = new PartitionTree()
      this.#trees[partition] = tree
      this.#building.add(partition)
    }
    return tree
  }

  /** Cost: two hashes of a record and four XORs; nothing where nobody has asked for the tree. */
  changed(partition: number, key: Uint8Array, before: Uint8Array | undefined, after: Uint8Array | undefined): void {
    const tree = this.#trees[partition]
    if (tree === undefined || tree.isDamaged) return
    if (!tree.isReady && !this.#isScanned(partition, tree, key)) return
    this.#update(tree, key, before, after)
  }

  #isScanned(partition: number, { cursor }: PartitionTree, key: Uint8Array): boolean {
    return cursor !== undefined && this.#store.compareKeys(partition, key, cursor) <= 0
  }

  #update(tree: PartitionTree, key: Uint8Array, before: Uint8Array | undefined, after: Uint8Array | undefined): void {
    const bucket = this.#routes.bucketNumbered(bucketOfKey(key))
    if (bucket === undefined) return
    if (before !== undefined && isMortal(before)) tree.mortals--
    if (after !== undefined && isMortal(after)) tree.mortals++
    const out = before === undefined ? noRecord : recordHash(key, before, this.#before)
    const into = after === undefined ? noRecord : recordHash(key, after, this.#after)
    tree.of(bucket.n).update(treePlaceOf(key), out, into)
  }

  /** The record that was there cannot be read: nobody knows what to take out of the hashes. */
  damaged(partition: number): void {
    this.forget(partition)
  }

  /** It is built anew when next asked for. */
  forget(partition: number): void {
    this.#trees[partition] = undefined
    this.#building.delete(partition)
    this.unreadable.delete(partition)
  }

  /** Now: a read has met damage that the tree does not know of, or that has been healed. */
  rebuild(partition: number): PartitionTree {
    this.forget(partition)
    return this.of(partition)
  }

  /** The classes are other ones when a bucket has another n. */
  adopt(routes: RoutingTable): void {
    const changed = routes.topology.buckets.some(({ number, n }) => {
      const before = this.#routes.bucketNumbered(number)
      return before === undefined || before.n !== n
    })
    this.#routes = routes
    if (!changed) return
    this.#trees.length = 0
    this.#building.clear()
    this.unreadable.clear()
  }

  /** Scans one page of each tree under way. */
  build(): void {
    for (const partition of this.#building) {
      const tree = this.#trees[partition]!
      try {
        const page = this.#store.scan(partition, tree.cursor, pageSize)
        for (const { key, record } of page) this.#update(tree, key, undefined, record)
        if (page.length > 0) tree.cursor = page[page.length - 1]!.key
        tree.isReady = page.length < pageSize
        if (tree.isReady) this.onReadable(partition)
      } catch (error) {
        if (storeErrorCode(error) === undefined) throw error
        tree.isDamaged = true
        this.unreadable.add(partition)
      }
      if (tree.isReady || tree.isDamaged) this.#building.delete(partition)
    }
  }
}
