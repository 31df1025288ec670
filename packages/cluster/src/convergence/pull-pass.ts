import type { Bucket } from '../coordination/topology.js'
import type { MemberNumber } from '../node/identity.js'
import type { Now } from '../node/now.js'
import { checkRecord, readStampLogical, readStampMs, siblingsAt } from '../record/record-format.js'
import { replyStatus } from '../replication/reply-status.js'
import type { SharedParts } from '../replication/shared-parts.js'
import { bucketOfKey } from '../replication/stored-key.js'
import type { KeyedRecord } from '../store/replica-store.js'
import { childrenOf, treeFanout } from './hash-tree.js'
import { type PartitionTree, type PartitionTrees, treeLevels } from './partition-trees.js'
import { recordHash } from './record-hash.js'
import {
  type Compared,
  encodeCompare,
  encodeFetch,
  encodeList,
  type Fetched,
  type Listed,
  type PullHeader,
  repairType,
} from './repair-format.js'

/** From whom, and which keys of the partition: those of buckets with `n` replicas. */
export interface PullFrom {
  readonly partition: number
  readonly n: number
  readonly member: MemberNumber
}

/** Told of what cannot be merged because the own record is damaged; without, that fails the pass. */
export type OnDamaged = (key: Uint8Array, record: Uint8Array, bucket: Bucket) => void

/** Hashes of one question. */
const comparedMax = 16 * treeFanout
/** Keys of one question. */
const fetchedMax = 256
/** A question without an answer is put again; after so many times the pass has failed. */
const patienceMs = 1000
const triesMax = 5
/** The other one's tree is not ready, or it has too much to do. */
const busyRetryMs = 100
/** So often; then others have their turn. */
const busyMax = 30

/**
 * One owner gets everything that another one had when the pass began: compares hash trees from the root down, lists the keys of leaves that
 * differ, fetches the records that differ and merges them into its own. Who has nothing is sent everything at once. One question at a time, each
 * answered from nothing but itself: a lost one is put again, and a pass goes on where it was.
 *
 * What is pulled may be in the middle of being written: a pass ends when it has asked about everything once, not when both are the same.
 */
export class PullPass {
  /** Unreadable: the other one cannot read what it has, and nobody could heal it. */
  outcome: 'running' | 'complete' | 'failed' | 'unreadable' = 'running'
  /** When there is something to ask, or to ask again. */
  wakeAtMs = 0
  readonly from: PullFrom
  readonly since: number
  readonly #parts: SharedParts
  readonly #trees: PartitionTrees
  /** Nodes of the tree to be compared: the last first. */
  readonly #open: { level: number; indexes: readonly number[] }[] = [{ level: 0, indexes: [0] }]
  readonly #leaves: number[] = []
  #asked: { level: number; indexes: readonly number[] } | undefined
  #phase: 'comparing' | 'listing' = 'comparing'
  #streams = false
  #after: Uint8Array | undefined
  #isListed = false
  #wanted: Uint8Array[] = []
  /** The question that waits for an answer; 0: none. */
  ask = 0
  #tries = 0
  #busy = 0
  readonly #onDamaged: OnDamaged | undefined

  constructor(
    parts: SharedParts,
    trees: PartitionTrees,
    from: PullFrom,
    since: number,
    onDamaged: OnDamaged | undefined,
  ) {
    this.#parts = parts
    this.#trees = trees
    this.from = from
    this.since = since
    this.#onDamaged = onDamaged
  }

  /** What to ask now: `undefined` if there is nothing, or the pass has ended. `ask` numbers the question. */
  next(ask: number, now: Now): { type: number; body: Uint8Array } | undefined {
    if (this.outcome !== 'running' || now.monotonicMs < this.wakeAtMs) return undefined
    const tree = this.#trees.of(this.from.partition)
    // Nothing can be compared with a tree that has holes: everything is asked for, which finds what can be healed.
    if (!tree.isReady && !tree.isDamaged) return undefined
    if (this.ask !== 0 && ++this.#tries > triesMax) {
      this.#fail()
      return undefined
    }
    this.ask = ask
    this.wakeAtMs = now.monotonicMs + patienceMs
    return this.#question(tree)
  }

  #question(tree: PartitionTree): { type: number; body: Uint8Array } | undefined {
    const { n } = this.from
    const header = this.#header()
    if (this.#phase === 'comparing' && (tree.isDamaged || !tree.holdsAny(n))) {
      this.#streams = true
      this.#phase = 'listing'
    }
    if (this.#phase === 'comparing') {
      this.#asked ??= this.#open.pop()!
      const { level, indexes } = this.#asked
      const hashes = tree.of(n).hashesOf(level, indexes)
      return { type: repairType.compare, body: encodeCompare({ ...header, level, indexes, hashes }) }
    }
    if (this.#wanted.length > 0) {
      const keys = this.#wanted.slice(0, fetchedMax)
      return { type: repairType.fetch, body: encodeFetch({ ...header, keys }) }
    }
    const leaves = this.#streams ? undefined : this.#leaves
    const readable = this.#onDamaged !== undefined
    return { type: repairType.list, body: encodeList({ ...header, leaves, after: this.#after, readable }) }
  }

  #header(): PullHeader {
    const { partition, n, member } = this.from
    return { from: this.#parts.self, to: member, partition, since: this.since, n, ask: this.ask }
  }

  onCompared(message: Compared, now: Now): void {
    if (!this.#takes(message, now) || this.#asked === undefined) return
    const { level, indexes } = this.#asked
    this.#asked = undefined
    const asked = new Set(indexes)
    const differing = message.differing.filter((index) => asked.has(index))
    if (level === treeLevels) this.#leaves.push(...differing)
    else if (differing.length > 0) this.#descend(level + 1, childrenOf(differing))
    if (this.#open.length > 0) return
    if (this.#leaves.length === 0) this.outcome = 'complete'
    this.#leaves.sort((a, b) => a - b)
    this.#phase = 'listing'
  }

  #descend(level: number, indexes: readonly number[]): void {
    for (let i = 0; i < indexes.length; i += comparedMax)
      this.#open.push({ level, indexes: indexes.slice(i, i + comparedMax) })
  }

  onListed(message: Listed, now: Now): void {
    if (!this.#takes(message, now)) return
    this.#absorb(message.records, now)
    for (const { key, high, low } of message.keys)
      if (!this.#holds(key, high, low)) this.#wanted.push(new Uint8Array(key))
    this.#after = new Uint8Array(message.upTo)
    this.#isListed = message.isLast
    this.#checkEnd()
  }

  onFetched(message: Fetched, now: Now): void {
    if (!this.#takes(message, now)) return
    this.#absorb(message.records, now)
    this.#wanted.splice(0, Math.min(fetchedMax, message.looked))
    this.#checkEnd()
  }

  #checkEnd(): void {
    if (this.outcome === 'running' && this.#isListed && this.#wanted.length === 0) this.outcome = 'complete'
  }

  /** Whether it answers the last question, and says something. */
  #takes(message: PullHeader & { readonly status: number }, now: Now): boolean {
    if (this.outcome !== 'running' || message.ask !== this.ask || message.from !== this.from.member) return false
    this.ask = 0
    this.#tries = 0
    this.wakeAtMs = now.monotonicMs
    if (message.status === replyStatus.ok) return true
    if (message.status === replyStatus.damaged) this.outcome = 'unreadable'
    else if (message.status === replyStatus.overloaded && ++this.#busy < busyMax) this.wakeAtMs += busyRetryMs
    else this.#fail()
    return false
  }

  #holds(key: Uint8Array, high: number, low: number): boolean {
    const { local } = this.#parts
    if (local.read(this.from.partition, key) !== replyStatus.ok) return false
    const own = recordHash(key, local.record!, { high: 0, low: 0 })
    return own.high === high && own.low === low
  }

  /** @throws RecordError when what was sent is no record */
  #absorb(records: readonly KeyedRecord[], now: Now): void {
    const { local, clock, routes } = this.#parts
    for (const { key, record } of records) {
      checkRecord(record)
      const bucket = key.length < 2 ? undefined : routes.bucketNumbered(bucketOfKey(key))
      if (bucket === undefined || bucket.n !== this.from.n) continue
      const first = siblingsAt(record)
      clock.observe(readStampMs(record, first), readStampLogical(record, first), now.wallMs)
      // The answer may be older than what was deleted and collected here since.
      if (local.isOver(this.from.partition, key, record, bucket)) continue
      const status = local.absorb(this.from.partition, key, record, bucket, false)
      if (status === replyStatus.damaged) this.#noteDamage()
      if (status === replyStatus.damaged && this.#onDamaged !== undefined) this.#onDamaged(key, record, bucket)
      else if (status !== replyStatus.ok) this.#fail()
    }
  }

  /** The hash of what cannot be read was taken before: a new scan meets it, and healing begins. One that is under way has met it, or a later pull does. */
  #noteDamage(): void {
    if (this.#trees.of(this.from.partition).isReady) this.#trees.rebuild(this.from.partition)
  }

  #fail(): void {
    this.outcome = 'failed'
  }
}
