import type { SendCold } from '../node/cold-messages.js'
import type { NodeId } from '../node/identity.js'
import { epochStatus } from '../replication/replica.js'
import { type ReplyStatus, replyStatus } from '../replication/reply-status.js'
import type { SharedParts } from '../replication/shared-parts.js'
import { bucketOfKey } from '../replication/stored-key.js'
import type { KeyedRecord, ReadablePage } from '../store/replica-store.js'
import { storeErrorCode } from '../store/store-error.js'
import { MalformedFrameError } from '../wire/malformed-frame-error.js'
import { HashTree, treeFanout } from './hash-tree.js'
import type { Healing } from './healing.js'
import type { PartitionTrees } from './partition-trees.js'
import { treeLevels } from './partition-trees.js'
import { noRecord, recordHash, treePlaceOf } from './record-hash.js'
import {
  type Compare,
  encodeCompared,
  encodeFetched,
  encodeListed,
  type Fetch,
  type List,
  type ListedKey,
  type PullHeader,
  repairType,
} from './repair-format.js'

/** Bounds of one answer. A larger record goes alone. */
const answerBytesMax = 128 << 10
const scannedMax = 1024
const pageSize = 128
const listedKeyBytes = 10

const nothing = new Uint8Array(0)
/** Only for the leaf of a place. */
const shape = new HashTree(treeLevels)

/**
 * Answers owners that pull: which hashes differ, which keys a leaf has, what the records are. Keeps nothing between two questions. What it tells is
 * durable before it leaves: what an owner has pulled, the one it came from still has after a crash, and it does not fall back to an older topology.
 */
export class PullSource {
  readonly #parts: SharedParts
  readonly #trees: PartitionTrees
  readonly #healing: Healing
  readonly #send: SendCold

  constructor(parts: SharedParts, trees: PartitionTrees, healing: Healing, send: SendCold) {
    this.#parts = parts
    this.#trees = trees
    this.#healing = healing
    this.#send = send
  }

  onCompare(peer: NodeId, message: Compare): void {
    const { level, indexes, hashes } = message
    if (level > treeLevels || indexes.some((index) => index >= treeFanout ** level))
      throw new MalformedFrameError(0, `no such nodes on level ${level} of a tree with ${treeLevels} levels`)
    let status = this.#agrees(message)
    let differing: number[] = []
    if (status === replyStatus.ok) {
      const tree = this.#trees.of(message.partition)
      if (tree.isReady) differing = tree.of(message.n).differing(level, indexes, hashes)
      else status = tree.isDamaged ? this.#unreadable(message.partition) : replyStatus.overloaded
    }
    this.#send(peer, repairType.compared, encodeCompared({ ...answerTo(message), status, differing }), true)
  }

  onList(peer: NodeId, message: List): void {
    const { leaves } = message
    const wanted = leaves === undefined ? undefined : new Set(leaves)
    const keys: ListedKey[] = []
    const records: KeyedRecord[] = []
    let status: ReplyStatus = this.#agrees(message)
    let upTo = message.after
    let isLast = false
    let bytes = 0
    try {
      for (let scanned = 0; status === replyStatus.ok && !isLast && scanned < scannedMax && bytes < answerBytesMax; ) {
        const page = this.#page(message, upTo)
        isLast = page.upTo === undefined
        scanned += pageSize
        for (const { key, record } of page.records) {
          if (bytes >= answerBytesMax) {
            isLast = false
            break
          }
          upTo = key
          if (this.#classOf(key) !== message.n) continue
          if (wanted === undefined) {
            records.push({ key, record })
            bytes += listedKeyBytes + key.length + record.length
            continue
          }
          if (!wanted.has(shape.leafOf(treePlaceOf(key)))) continue
          keys.push({ key, ...recordHash(key, record, { ...noRecord }) })
          bytes += listedKeyBytes + key.length
        }
        if (bytes < answerBytesMax) upTo = page.upTo ?? upTo
      }
    } catch (error) {
      status = this.#damageOf(error, message.partition)
    }
    const answer = { ...answerTo(message), status, isLast, upTo: upTo ?? nothing, keys, records }
    this.#send(peer, repairType.listed, encodeListed(answer), true)
  }

  #page({ partition, readable }: List, after: Uint8Array | undefined): Pick<ReadablePage, 'records' | 'upTo'> {
    const { store } = this.#parts
    if (readable) {
      const page = store.scanReadable(partition, after, pageSize)
      if (page.damaged.length > 0 && !this.#trees.of(partition).isDamaged) this.#trees.rebuild(partition)
      return page
    }
    const records = store.scan(partition, after, pageSize)
    return { records, upTo: records.length < pageSize ? undefined : records.at(-1)!.key }
  }

  onFetch(peer: NodeId, message: Fetch): void {
    const { keys, partition } = message
    const records: KeyedRecord[] = []
    let status: ReplyStatus = this.#agrees(message)
    let looked = 0
    try {
      for (let bytes = 0; status === replyStatus.ok && looked < keys.length && bytes < answerBytesMax; looked++) {
        const key = keys[looked]!
        const record = this.#parts.store.get(partition, key)
        if (record === undefined) continue
        records.push({ key, record })
        bytes += key.length + record.length
      }
    } catch (error) {
      status = this.#damageOf(error, message.partition)
    }
    this.#send(peer, repairType.fetched, encodeFetched({ ...answerTo(message), status, looked, records }), true)
  }

  /** @throws what is no error of the store */
  #damageOf(error: unknown, partition: number): ReplyStatus {
    if (storeErrorCode(error) === undefined) throw error
    if (!this.#trees.of(partition).isDamaged) this.#trees.rebuild(partition)
    return this.#unreadable(partition)
  }

  /** As long as it may be healed, the one who asks waits. */
  #unreadable(partition: number): ReplyStatus {
    return this.#healing.isExhausted(partition) ? replyStatus.damaged : replyStatus.overloaded
  }

  #classOf(key: Uint8Array): number | undefined {
    return this.#parts.routes.bucketNumbered(bucketOfKey(key))?.n
  }

  #agrees({ from, partition, since, n }: PullHeader): ReplyStatus {
    const { routes, self } = this.#parts
    if (partition >= routes.topology.partitions) return replyStatus.behind
    const route = routes.route(partition, n)
    const agreed = epochStatus(route, since)
    if (agreed !== replyStatus.ok) return agreed
    return route.members.includes(self) && route.members.includes(from) ? replyStatus.ok : replyStatus.stale
  }
}

const answerTo = ({ from, to, partition, since, n, ask }: PullHeader): PullHeader => ({
  from: to,
  to: from,
  partition,
  since,
  n,
  ask,
})
