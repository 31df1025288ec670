import type { HybridClock } from '../causality/hybrid-clock.js'
import { isCollectable, isStampedBy } from '../convergence/collectable.js'
import type { RepairStamps } from '../convergence/repair-stamps.js'
import type { Bucket } from '../coordination/topology.js'
import type { MintingEpoch } from '../node/minting-epoch.js'
import { type Mint, mintRecord, type NewWrite } from '../record/mint-record.js'
import { lww, type Resolution, type ResolutionCounters } from '../record/resolution.js'
import type { KeyedRecord, KeyStretch, ReplicaStore } from '../store/replica-store.js'
import { storeErrorCode } from '../store/store-error.js'
import { RecentRequests } from './recent-requests.js'
import { mergeWithoutTwins, rememberRequests } from './replaced-twins.js'
import { type ReplyStatus, replyStatus } from './reply-status.js'
import { UndurableKeys } from './undurable-keys.js'

/** Told of every record that changes in the store, after it has: hash trees follow it. */
export interface RecordObserver {
  changed(partition: number, key: Uint8Array, before: Uint8Array | undefined, after: Uint8Array | undefined): void
  /** A record that nobody can read any more is about to be replaced. */
  damaged(partition: number): void
}

/** Faults for tests, see `deliberateBugs`. */
export interface LocalReplicaFaults {
  readonly early: boolean
  readonly dropSiblings: boolean
  readonly overwrite: boolean
}

/** The node's own records: reads, merges and mints, with the store's errors turned into statuses. */
export class LocalReplica {
  /** Of the last call: the record that is now in the store, or that was read. */
  record: Uint8Array | undefined
  observer: RecordObserver | undefined
  /** What is collected here: see `absorb`. */
  stamps: RepairStamps | undefined
  readonly counters: ResolutionCounters = { lwwLosses: 0, siblingOverflows: 0 }
  /** The writes that this node has met lately. */
  readonly requests = new RecentRequests()
  readonly #store: ReplicaStore
  readonly #epoch: MintingEpoch
  readonly #faults: LocalReplicaFaults
  readonly #undurable = new UndurableKeys()
  readonly #mint: Mint

  constructor(store: ReplicaStore, epoch: MintingEpoch, clock: HybridClock, faults: LocalReplicaFaults) {
    this.#store = store
    this.#epoch = epoch
    this.#faults = faults
    this.#mint = { actor: epoch.actor, clock, resolution: lww, counters: this.counters }
  }

  /** `ok` with the record, `absent`, `damaged`. */
  read(partition: number, key: Uint8Array): ReplyStatus {
    this.record = undefined
    try {
      this.record = this.#store.get(partition, key)
    } catch (error) {
      return statusOf(error)
    }
    return this.record === undefined ? replyStatus.absent : replyStatus.ok
  }

  /** The store's ticket that must be durable before what `read` gave may be told. */
  ticketOf(partition: number, key: Uint8Array): number {
    return this.#faults.early ? 0 : this.#undurable.ticketOf(partition, key)
  }

  /**
   * Merges a record that has passed `checkRecord` into the own one. `damaged`: the own one is unreadable and stays, unless the
   * other is `complete`, i.e. merged from all other owners: anything less could replace what only this node had acknowledged. What says no
   * more than a deletion that has been collected here is known already: `ok`, and nothing is stored.
   */
  absorb(partition: number, key: Uint8Array, record: Uint8Array, bucket: Bucket, complete: boolean): ReplyStatus {
    rememberRequests(record, this.requests)
    let status = this.read(partition, key)
    if (status === replyStatus.damaged && complete) {
      // Dots of the damaged record are forgotten: they must not be minted again.
      status = this.#raiseEpoch()
      if (status !== replyStatus.ok) return status
      status = replyStatus.absent
      this.observer?.damaged(partition)
    }
    const before = this.record
    if (status === replyStatus.absent && this.hasCollected(partition, record)) return replyStatus.ok
    if (status === replyStatus.absent || this.#faults.overwrite) return this.put(partition, key, before, record)
    if (status !== replyStatus.ok) return status
    const merged = this.merge(before!, record, bucket)
    return merged === before ? replyStatus.ok : this.put(partition, key, before, merged)
  }

  /** It says no more than a deletion that has been collected here, if it ever was. */
  hasCollected(partition: number, record: Uint8Array): boolean {
    return this.stamps !== undefined && isCollectable(record, this.stamps.repairedMs[partition]!)
  }

  /**
   * A copy that has been on its way for long may say what is over: stamped within what every owner has held, and not here any more. It was deleted, and the deletion
   * collected: stored now, it would be back.
   */
  isOver(partition: number, key: Uint8Array, record: Uint8Array, bucket: Bucket): boolean {
    if (this.stamps === undefined || !isStampedBy(record, this.stamps.heldMs(partition, bucket))) return false
    return this.read(partition, key) === replyStatus.absent
  }

  /** The merge of two records, nothing stored. */
  merge(a: Uint8Array, b: Uint8Array, bucket: Bucket): Uint8Array {
    return mergeWithoutTwins(a, b, this.#resolutionOf(bucket), this.counters, this.requests)
  }

  /** Whether this node can mint now: `ok`, or why its store does not let it. */
  mayMint(): ReplyStatus {
    try {
      this.#epoch.ensure()
    } catch (error) {
      return statusOf(error)
    }
    return replyStatus.ok
  }

  /** Only after `mayMint`. On top of `before`, which the caller has read; nothing stored. @throws RecordError for a context that is none */
  minted(
    before: Uint8Array | undefined,
    context: Uint8Array | undefined,
    write: NewWrite,
    bucket: Bucket,
    wallMs: number,
  ): Uint8Array {
    this.#mint.actor = this.#epoch.actor
    this.#mint.resolution = bucket.resolution
    return mintRecord(before, context, write, this.#mint, wallMs)
  }

  /** In place of `before`, which the caller has read in the same turn. */
  put(partition: number, key: Uint8Array, before: Uint8Array | undefined, record: Uint8Array): ReplyStatus {
    try {
      this.#store.put(partition, key, record)
    } catch (error) {
      return statusOf(error)
    }
    this.record = record
    this.#undurable.note(partition, key, this.#store.ticket)
    this.observer?.changed(partition, key, before, record)
    return replyStatus.ok
  }

  /** As `ticketOf` a key that was put last. */
  get lastTicket(): number {
    return this.#faults.early ? 0 : this.#store.ticket
  }

  /** Physically removes what the caller has read in the same turn. @throws the store's errors */
  forget(partition: number, key: Uint8Array, record: Uint8Array): void {
    this.#store.remove(partition, key)
    this.#undurable.note(partition, key, this.#store.ticket)
    this.observer?.changed(partition, key, record, undefined)
  }

  /**
   * Puts these in place of a stretch with damage, merged from what all other owners have and what can be read here. The epoch goes first: dots of what
   * cannot be read are forgotten.
   */
  replaceStretch(partition: number, stretch: KeyStretch, records: readonly KeyedRecord[]): ReplyStatus {
    const raised = this.#raiseEpoch()
    if (raised !== replyStatus.ok) return raised
    try {
      this.#store.replaceStretch(partition, stretch, records)
    } catch (error) {
      return statusOf(error)
    }
    for (const { key, record } of records) {
      rememberRequests(record, this.requests)
      this.#undurable.note(partition, key, this.#store.ticket)
    }
    this.observer?.damaged(partition)
    return replyStatus.ok
  }

  #raiseEpoch(): ReplyStatus {
    try {
      this.#epoch.raise()
    } catch (error) {
      return statusOf(error)
    }
    return replyStatus.ok
  }

  #resolutionOf(bucket: Bucket): Resolution {
    return this.#faults.dropSiblings ? lww : bucket.resolution
  }
}

/** @throws what is no error of the store */
function statusOf(error: unknown): ReplyStatus {
  switch (storeErrorCode(error)) {
    case 'CASKADE_CORRUPTION':
    case 'CASKADE_IO':
      return replyStatus.damaged
    case 'CASKADE_DISK_FULL':
      return replyStatus.diskFull
    case 'CASKADE_READ_ONLY':
      return replyStatus.readOnly
    default:
      throw error
  }
}
