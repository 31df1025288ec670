import type { ColdReceiver, SendCold } from '../node/cold-messages.js'
import type { NodeId } from '../node/identity.js'
import type { MintingEpoch } from '../node/minting-epoch.js'
import type { Now } from '../node/now.js'
import type { SharedParts } from '../replication/shared-parts.js'
import { AntiEntropy } from './anti-entropy.js'
import { Healing } from './healing.js'
import type { HintStore } from './hint-store.js'
import { PartitionTrees } from './partition-trees.js'
import { PullSource } from './pull-source.js'
import { decodeCompare, decodeFetch, decodeList, repairType } from './repair-format.js'
import { RepairRound } from './repair-round.js'
import type { RepairStamps } from './repair-stamps.js'
import { TombstoneCollection } from './tombstone-collection.js'

/** Everything that makes owners the same behind the back of requests, wired together: hash trees, pulls, rounds, collection. */
export class Repair implements ColdReceiver {
  readonly trees: PartitionTrees
  readonly pulls: AntiEntropy
  readonly healing: Healing
  readonly rounds: RepairRound
  readonly collection: TombstoneCollection
  readonly #source: PullSource
  readonly #parts: SharedParts

  constructor(parts: SharedParts, stamps: RepairStamps, hints: HintStore, epoch: MintingEpoch, send: SendCold) {
    this.#parts = parts
    this.trees = new PartitionTrees(parts.store, parts.routes)
    this.pulls = new AntiEntropy(parts, this.trees, send)
    this.healing = new Healing(parts, this.trees, this.pulls)
    this.trees.onReadable = (partition) => this.healing.recovered(partition)
    this.#source = new PullSource(parts, this.trees, this.healing, send)
    this.rounds = new RepairRound(parts, this.trees, stamps, hints, this.pulls, send)
    this.collection = new TombstoneCollection(parts, this.trees, stamps, epoch)
    this.rounds.onRepaired = (partition) => this.collection.look(partition)
    // The clock must not stand before what was promised in an earlier life.
    parts.clock.raise(stamps.latestFencedMs + 1)
  }

  get wakeAtMs(): number {
    // A page of each scan per turn.
    if (this.trees.isBuilding) return 0
    return Math.min(this.healing.wakeAtMs, this.pulls.wakeAtMs, this.rounds.wakeAtMs, this.collection.wakeAtMs)
  }

  onTimer(now: Now): void {
    if (this.trees.isBuilding) this.trees.build()
    this.healing.onTimer(now)
    this.pulls.onTimer(now)
    this.rounds.onTimer(now)
    this.collection.onTimer(now)
  }

  adopt(): void {
    this.trees.adopt(this.#parts.routes)
    this.pulls.adopt()
    this.rounds.adopt()
  }

  receive(from: NodeId, type: number, body: Uint8Array, now: Now): void {
    switch (type) {
      case repairType.compare: {
        const message = decodeCompare(body)
        if (message.to === this.#parts.self) this.#source.onCompare(from, message)
        return
      }
      case repairType.list: {
        const message = decodeList(body)
        if (message.to === this.#parts.self) this.#source.onList(from, message)
        return
      }
      case repairType.fetch: {
        const message = decodeFetch(body)
        if (message.to === this.#parts.self) this.#source.onFetch(from, message)
        return
      }
      default:
        if (!this.pulls.receive(type, body, now)) this.rounds.receive(from, type, body, now)
    }
  }
}
