import { readU48, writeU48 } from '../causality/vector-bytes.js'
import type { Bucket } from '../coordination/topology.js'
import type { ReplicaStore } from '../store/replica-store.js'

const prefix = 'repair/'
const nameOf = (partition: number) => `${prefix}${partition.toString(16).padStart(4, '0')}`
const pageSize = 256

/**
 * What this node has promised and knows of each partition, as milliseconds of hybrid clocks; durable under `repair/<partition, 4 hex>`:
 * fenced, repaired and the epoch of the owners it was proven among, 6 bytes each. 0: nothing. docs/cluster/anti-entropy.md has the argument.
 */
export class RepairStamps {
  /** This node mints nothing stamped up to here any more, and lets in no late write that is. Never falls. */
  readonly fencedMs: Float64Array
  /** All owners hold everything stamped up to here. */
  readonly repairedMs: Float64Array
  /** The epoch of their owners when that was proven. */
  readonly #repairedSince: Float64Array
  readonly #store: ReplicaStore

  /** @throws the store's errors: a node that does not know what it has promised must not start */
  constructor(store: ReplicaStore, partitions: number) {
    this.#store = store
    this.fencedMs = new Float64Array(partitions)
    this.repairedMs = new Float64Array(partitions)
    this.#repairedSince = new Float64Array(partitions)
    for (let after: string | undefined; ; ) {
      const page = store.scanMeta(prefix, after, pageSize)
      for (const { name, bytes } of page) this.#read(Number.parseInt(name.slice(prefix.length), 16), bytes)
      if (page.length < pageSize) return
      after = page[page.length - 1]!.name
    }
  }

  /** No clock of this node may stand before this. */
  get latestFencedMs(): number {
    return this.fencedMs.reduce((latest, each) => Math.max(latest, each), 0)
  }

  /** @throws the store's errors: then nothing is promised */
  fence(partition: number, throughMs: number): void {
    const { fencedMs, repairedMs } = this
    this.#write(
      partition,
      Math.max(throughMs, fencedMs[partition]!),
      repairedMs[partition]!,
      this.#repairedSince[partition]!,
    )
  }

  /** Proven among the owners of that epoch. @throws the store's errors */
  repaired(partition: number, throughMs: number, since: number): void {
    this.#write(partition, this.fencedMs[partition]!, Math.max(throughMs, this.repairedMs[partition]!), since)
  }

  /**
   * Every present owner of the bucket's keys has held whatever is stamped up to here: what it does not have was deleted, and collected. Not so for who became one of
   * them when the bucket's n was raised, until the next round.
   */
  heldMs(partition: number, { grownAt = 0 }: Bucket): number {
    return this.#repairedSince[partition]! >= grownAt ? this.repairedMs[partition]! : 0
  }

  /** No owner any more: what it will not have one day is not what was deleted. @throws the store's errors */
  leave(partition: number): void {
    this.#write(partition, this.fencedMs[partition]!, 0, 0)
  }

  #read(partition: number, bytes: Uint8Array): void {
    if (partition >= this.fencedMs.length) return
    this.fencedMs[partition] = readU48(bytes, 0)
    this.repairedMs[partition] = readU48(bytes, 6)
    this.#repairedSince[partition] = readU48(bytes, 12)
  }

  #write(partition: number, fencedMs: number, repairedMs: number, since: number): void {
    if (fencedMs === this.fencedMs[partition] && repairedMs === this.repairedMs[partition]) return
    const bytes = new Uint8Array(18)
    writeU48(bytes, 0, fencedMs)
    writeU48(bytes, 6, repairedMs)
    writeU48(bytes, 12, since)
    this.#store.putMeta(nameOf(partition), bytes)
    this.fencedMs[partition] = fencedMs
    this.repairedMs[partition] = repairedMs
    this.#repairedSince[partition] = since
  }
}
