import type { Bucket } from '../coordination/topology.js'
import type { MemberNumber } from '../node/identity.js'
import type { Now } from '../node/now.js'
import { replyStatus } from '../replication/reply-status.js'
import type { SharedParts } from '../replication/shared-parts.js'
import type { AntiEntropy } from './anti-entropy.js'
import type { PartitionTrees } from './partition-trees.js'

const retryMs = 1000
/** What nobody else has stays unreadable: it is looked for again now and then. */
const exhaustedRetryMs = 30_000

interface Found {
  readonly key: Uint8Array
  readonly bucket: Bucket
  record: Uint8Array
}

/**
 * Heals partitions in which a scan has met what it cannot read, without waiting for somebody to read those keys: pulls everything from all other owners,
 * merges what they have of the keys that are damaged here, and puts that in their place once all of them have been asked. Anything less could
 * replace what only this node had acknowledged. Memory: the damaged records.
 */
export class Healing {
  healed = 0
  /** Owners that are not waited for: they are to leave, and are held for dead. */
  gone: () => ReadonlySet<MemberNumber> = () => new Set()
  readonly #parts: SharedParts
  readonly #trees: PartitionTrees
  readonly #pulls: AntiEntropy
  /** By partition: when to try again. */
  readonly #retryAtMs = new Map<number, number>()
  readonly #exhausted = new Set<number>()
  #looksAtMs = 0

  constructor(parts: SharedParts, trees: PartitionTrees, pulls: AntiEntropy) {
    this.#parts = parts
    this.#trees = trees
    this.#pulls = pulls
  }

  get wakeAtMs(): number {
    return this.#trees.unreadable.size === 0 ? Number.POSITIVE_INFINITY : this.#looksAtMs
  }

  /** Everything that others have has been put in place, and still the partition cannot be read: the rest is nowhere else. */
  isExhausted(partition: number): boolean {
    return this.#exhausted.has(partition)
  }

  onTimer(now: Now): void {
    if (now.monotonicMs < this.wakeAtMs) return
    this.#looksAtMs = now.monotonicMs + retryMs / 10
    for (const partition of this.#trees.unreadable)
      if (now.monotonicMs >= (this.#retryAtMs.get(partition) ?? 0)) this.#begin(partition, now)
  }

  /** The partition can be read again. */
  recovered(partition: number): void {
    this.#exhausted.delete(partition)
    this.#retryAtMs.delete(partition)
  }

  #begin(partition: number, now: Now): void {
    const gone = this.gone()
    const others = this.#pulls.othersOf(partition).filter(({ member }) => !gone.has(member))
    this.#retryAtMs.set(partition, Number.POSITIVE_INFINITY)
    if (others.length === 0) {
      this.#retryAtMs.set(partition, now.monotonicMs + exhaustedRetryMs)
      this.#exhausted.add(partition)
      return
    }
    const found = new Map<string, Found>()
    this.#pulls.pull(
      partition,
      others,
      (isComplete, at) => {
        const isOver = isComplete && this.#replace(partition, found)
        if (isOver) this.#exhausted.add(partition)
        this.#retryAtMs.set(partition, at.monotonicMs + (isOver ? exhaustedRetryMs : retryMs))
      },
      { isUrgent: true, onDamaged: (key, record, bucket) => this.#note(found, key, record, bucket) },
    )
  }

  #note(found: Map<string, Found>, key: Uint8Array, record: Uint8Array, bucket: Bucket): void {
    const name = Buffer.from(key).toString('latin1')
    const known = found.get(name)
    if (known === undefined) found.set(name, { key: new Uint8Array(key), bucket, record: new Uint8Array(record) })
    else known.record = new Uint8Array(this.#parts.local.merge(known.record, record, bucket))
  }

  /** False: not all of it could be written. */
  #replace(partition: number, found: ReadonlyMap<string, Found>): boolean {
    const { local, sink } = this.#parts
    for (const { key, record, bucket } of found.values())
      if (local.absorb(partition, key, record, bucket, true) !== replyStatus.ok) return false
    this.healed += found.size
    sink.event('partition-healed', { partition, records: found.size })
    this.#trees.rebuild(partition)
    return true
  }
}
