import type { Bucket } from '../coordination/topology.js'
import type { MemberNumber } from '../node/identity.js'
import type { Now } from '../node/now.js'
import { replyStatus } from '../replication/reply-status.js'
import type { SharedParts } from '../replication/shared-parts.js'
import { isInStretch, isOneKey, joinStretches } from '../store/key-stretch.js'
import type { KeyedRecord, KeyStretch } from '../store/replica-store.js'
import { storeErrorCode } from '../store/store-error.js'
import type { AntiEntropy } from './anti-entropy.js'
import type { PartitionTrees } from './partition-trees.js'

const retryMs = 1000
/** What nobody else has stays unreadable: it is looked for again now and then. */
const exhaustedRetryMs = 30_000
const pageSize = 256

interface Found {
  readonly key: Uint8Array
  readonly bucket: Bucket
  record: Uint8Array
}

/**
 * Heals partitions in which a scan has met what it cannot read, without waiting for somebody to read those keys: pulls everything from all other owners,
 * merges what they have of the keys that are damaged here, and puts that in their place once all of them have been asked. Anything less could
 * replace what only this node had acknowledged. One that is damaged as well gives what it can read: two that wait for each other would wait for ever.
 *
 * Each stretch of damage is replaced in one atomic write. A crash leaves some stretches replaced and the others damaged, as they were: the next scan
 * meets those. Memory: the records of the damaged stretches.
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
    const name = nameOf(key)
    const known = found.get(name)
    if (known === undefined) found.set(name, { key: new Uint8Array(key), bucket, record: new Uint8Array(record) })
    else known.record = new Uint8Array(this.#parts.local.merge(known.record, record, bucket))
  }

  /** False: not all of it could be written. Cost: a scan of the partition, in one turn of the node. */
  #replace(partition: number, found: Map<string, Found>): boolean {
    const { local, sink } = this.#parts
    let records = 0
    let stretches = 0
    try {
      const { damaged, readable } = this.#look(partition)
      for (const stretch of damaged) {
        const rebuilt = this.#rebuilt(partition, stretch, readable, found)
        if (rebuilt === undefined) continue
        if (local.replaceStretch(partition, stretch, rebuilt) !== replyStatus.ok) return false
        records += rebuilt.length
        stretches++
      }
    } catch (error) {
      if (storeErrorCode(error) === undefined) throw error
      // A store that cannot go past its damage cannot be healed.
      return storeErrorCode(error) === 'CASKADE_CORRUPTION'
    }
    // Damaged when they were pulled, and not where a scan goes by.
    for (const { key, record, bucket } of found.values())
      if (local.absorb(partition, key, record, bucket, true) !== replyStatus.ok) return false
    records += found.size
    this.healed += records
    sink.event('partition-healed', { partition, stretches, records })
    this.#trees.rebuild(partition)
    return true
  }

  /** Where the damage is, and what can be read in its midst. */
  #look(partition: number): { damaged: KeyStretch[]; readable: KeyedRecord[] } {
    const damaged: KeyStretch[] = []
    const readable: KeyedRecord[] = []
    for (let after: Uint8Array | undefined; ; ) {
      const page = this.#parts.store.scanReadable(partition, after, pageSize)
      damaged.push(...page.damaged)
      for (const each of page.records)
        if (page.damaged.some((stretch) => isInStretch(each.key, stretch))) readable.push(each)
      if (page.upTo === undefined) return { damaged: joinStretches(damaged), readable }
      after = page.upTo
    }
  }

  /**
   * What goes in place of a stretch: what can be read here, merged with what the others have, which is then taken out of `found`. `undefined`: a single key
   * that nobody else has, and that must not be said to be absent. Which keys a damaged block had is not known: of those, what no other owner
   * has is given up.
   */
  #rebuilt(
    partition: number,
    stretch: KeyStretch,
    readable: readonly KeyedRecord[],
    found: Map<string, Found>,
  ): KeyedRecord[] | undefined {
    const { local } = this.#parts
    const own = readable.filter(({ key }) => isInStretch(key, stretch))
    const rebuilt = new Map(own.map((each) => [nameOf(each.key), each]))
    const others = [...found].filter(([, { key }]) => isInStretch(key, stretch))
    if (others.length === 0 && isOneKey(stretch)) return undefined
    for (const [name, { key, record, bucket }] of others) {
      found.delete(name)
      // Somebody may have written it again since it was pulled.
      const known = rebuilt.get(name)
      if (known !== undefined) rebuilt.set(name, { key, record: local.merge(known.record, record, bucket) })
      else if (!local.hasCollected(partition, record)) rebuilt.set(name, { key, record })
    }
    return [...rebuilt.values()]
  }
}

const nameOf = (key: Uint8Array) => Buffer.from(key).toString('latin1')
