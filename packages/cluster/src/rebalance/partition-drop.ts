import type { PartitionTrees } from '../convergence/partition-trees.js'
import type { RepairStamps } from '../convergence/repair-stamps.js'
import type { MintingEpoch } from '../node/minting-epoch.js'
import type { Now } from '../node/now.js'
import type { SharedParts } from '../replication/shared-parts.js'
import { storeErrorCode } from '../store/store-error.js'

const retryMs = 1000

/**
 * Drops what this node has of partitions that it does not own: after a move has ended or was given up, and what an earlier process did not come to
 * drop. The topology said so, durably and for all: the present owners have everything.
 *
 * In order of durability: a new minting epoch, since dots are forgotten; no claim any more that all is here; then the records. A crash in between
 * leaves records that the next start drops.
 */
export class PartitionDrop {
  dropped = 0
  wakeAtMs = 0
  readonly #parts: SharedParts
  readonly #trees: PartitionTrees
  readonly #stamps: RepairStamps
  readonly #epoch: MintingEpoch
  /** Partitions not owned, not looked at yet. */
  #open: number[] = []

  constructor(parts: SharedParts, trees: PartitionTrees, stamps: RepairStamps, epoch: MintingEpoch) {
    this.#parts = parts
    this.#trees = trees
    this.#stamps = stamps
    this.#epoch = epoch
    this.adopt()
  }

  adopt(): void {
    const { routes, self } = this.#parts
    const { topology } = routes
    const owned = new Set(topology.moves.filter(({ to }) => to.includes(self)).map(({ partition }) => partition))
    this.#open = topology.claim.flatMap((owners, partition) =>
      owners.includes(self) || owned.has(partition) ? [] : [partition],
    )
    this.wakeAtMs = 0
  }

  onTimer(now: Now): void {
    if (now.monotonicMs < this.wakeAtMs) return
    this.wakeAtMs = Number.POSITIVE_INFINITY
    try {
      for (; this.#open.length > 0; this.#open.pop()) this.#drop(this.#open[this.#open.length - 1]!)
    } catch (error) {
      if (storeErrorCode(error) === undefined) throw error
      this.wakeAtMs = now.monotonicMs + retryMs
    }
  }

  #drop(partition: number): void {
    const { store, sink } = this.#parts
    this.#trees.forget(partition)
    this.#stamps.leave(partition)
    if (!this.#holdsAny(partition)) return
    this.#epoch.raise()
    store.dropPartition(partition)
    this.dropped++
    sink.event('partition-dropped', { partition })
  }

  #holdsAny(partition: number): boolean {
    try {
      return this.#parts.store.scan(partition, undefined, 1).length > 0
    } catch (error) {
      if (storeErrorCode(error) === undefined) throw error
      return true
    }
  }
}
