import { readU48, writeU48 } from '../causality/vector-bytes.js'
import type { ReplicaStore } from '../store/replica-store.js'

const prefix = 'repair/'
const nameOf = (partition: number) => `${prefix}${partition.toString(16).padStart(4, '0')}`
const pageSize = 256

/**
 * What this node has promised and knows of each partition, as milliseconds of hybrid clocks; durable under `repair/<partition, 4 hex>`:
 * 6 bytes each. 0: nothing. docs/cluster/anti-entropy.md has the argument.
 */
export class RepairStamps {
  /** This node mints nothing stamped up to here any more, and lets in no late write that is. Never falls. */
  readonly fencedMs: Float64Array
  /** All owners hold everything stamped up to here: what a present owner does not have was deleted, and collected. */
  readonly repairedMs: Float64Array
  readonly #store: ReplicaStore

  /** @throws the store's errors: a node that does not know what it has promised must not start */
  constructor(store: ReplicaStore, partitions: number) {
    this.#store = store
    this.fencedMs = new Float64Array(partitions)
    this.repairedMs = new Float64Array(partitions)
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
    this.#write(partition, Math.max(throughMs, this.fencedMs[partition]!), this.repairedMs[partition]!)
  }

  /** @throws the store's errors */
  repaired(partition: number, throughMs: number): void {
    this.#write(partition, this.fencedMs[partition]!, Math.max(throughMs, this.repairedMs[partition]!))
  }

  /** No owner any more: what it will not have one day is not what was deleted. @throws the store's errors */
  leave(partition: number): void {
    this.#write(partition, this.fencedMs[partition]!, 0)
  }

  #read(partition: number, bytes: Uint8Array): void {
    if (partition >= this.fencedMs.length) return
    this.fencedMs[partition] = readU48(bytes, 0)
    this.repairedMs[partition] = readU48(bytes, 6)
  }

  #write(partition: number, fencedMs: number, repairedMs: number): void {
    if (fencedMs === this.fencedMs[partition] && repairedMs === this.repairedMs[partition]) return
    const bytes = new Uint8Array(12)
    writeU48(bytes, 0, fencedMs)
    writeU48(bytes, 6, repairedMs)
    this.#store.putMeta(nameOf(partition), bytes)
    this.fencedMs[partition] = fencedMs
    this.repairedMs[partition] = repairedMs
  }
}
