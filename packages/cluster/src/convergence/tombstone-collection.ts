import { counterOf } from '../causality/version-vector.js'
import type { MintingEpoch } from '../node/minting-epoch.js'
import type { Now } from '../node/now.js'
import { decodeRecord } from '../record/record-format.js'
import type { SharedParts } from '../replication/shared-parts.js'
import { storeErrorCode } from '../store/store-error.js'
import { isCollectable } from './collectable.js'
import type { PartitionTrees } from './partition-trees.js'
import type { RepairStamps } from './repair-stamps.js'

const pageSize = 128

/**
 * Physically removes the records of what was deleted, or has expired, from partitions that are repaired past them (docs/cluster/tombstones.md). One
 * page per turn.
 */
export class TombstoneCollection {
  /** Records removed. */
  collected = 0
  wakeAtMs = Number.POSITIVE_INFINITY
  readonly #parts: SharedParts
  readonly #trees: PartitionTrees
  readonly #stamps: RepairStamps
  readonly #epoch: MintingEpoch
  /** Partitions under way, each with the last key that was looked at. */
  readonly #cursors = new Map<number, Uint8Array | undefined>()
  /** In the partitions under way, since it was last told. */
  #untold = 0
  readonly #byAge: boolean

  constructor(parts: SharedParts, trees: PartitionTrees, stamps: RepairStamps, epoch: MintingEpoch) {
    this.#parts = parts
    this.#trees = trees
    this.#stamps = stamps
    this.#epoch = epoch
    this.#byAge = parts.bugs.has('tombstone-collected-by-age')
    if (this.#byAge) this.wakeAtMs = 0
  }

  /** There may be something to collect. */
  look(partition: number): void {
    const tree = this.#trees.of(partition)
    if (tree.isReady && tree.mortals === 0) return
    if (!this.#cursors.has(partition)) this.#cursors.set(partition, undefined)
    this.wakeAtMs = 0
  }

  onTimer(now: Now): void {
    if (now.monotonicMs < this.wakeAtMs) return
    if (this.#byAge) for (const partition of this.#parts.routes.topology.claim.keys()) this.look(partition)
    for (const partition of [...this.#cursors.keys()])
      try {
        this.#page(partition, this.#throughMs(partition, now))
      } catch (error) {
        if (storeErrorCode(error) === undefined) throw error
        // Again after the next round.
        this.#cursors.delete(partition)
      }
    this.wakeAtMs = this.#cursors.size > 0 ? now.monotonicMs + 1 : Number.POSITIVE_INFINITY
    if (this.#byAge) this.wakeAtMs = now.monotonicMs + 200
  }

  #throughMs(partition: number, now: Now): number {
    return this.#byAge ? now.wallMs - this.#parts.config.tombstoneGraceMs : this.#stamps.repairedMs[partition]!
  }

  #page(partition: number, throughMs: number): void {
    const { store, local } = this.#parts
    const page = store.scan(partition, this.#cursors.get(partition), pageSize)
    for (const { key, record } of page) {
      if (!isCollectable(record, throughMs)) continue
      // Forgets dots of the own actor: they must not be minted again.
      if (counterOf(decodeRecord(record).history, this.#epoch.actor) > 0) this.#epoch.raise()
      local.forget(partition, key, record)
      this.collected++
      this.#untold++
    }
    if (page.length < pageSize) {
      this.#cursors.delete(partition)
      if (this.#untold > 0) this.#parts.sink.event('tombstones-collected', { partition, records: this.#untold })
      this.#untold = 0
    } else this.#cursors.set(partition, page[page.length - 1]!.key)
  }
}
