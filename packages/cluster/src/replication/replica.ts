import type { HintStore } from '../convergence/hint-store.js'
import { keepHint } from '../convergence/keep-hint.js'
import { lateWrite } from '../convergence/late-write.js'
import type { RepairStamps } from '../convergence/repair-stamps.js'
import type { MemberNumber } from '../node/identity.js'
import type { Now } from '../node/now.js'
import { checkRecord, readStampLogical, readStampMs, siblingsAt } from '../record/record-format.js'
import { messageType } from '../wire/message-type.js'
import {
  asker,
  fixedBytesMax,
  type GetMessage,
  type ReplicateMessage,
  writeGetReply,
  writeReplicateReply,
} from '../wire/replication-messages.js'
import { type ReplyStatus, replyStatus } from './reply-status.js'
import type { Route } from './route.js'
import type { SharedParts } from './shared-parts.js'
import { bucketOfKey } from './stored-key.js'

/** This node as one of the owners (or as a fallback): answers what coordinators ask. */
export class Replica {
  /** Requests refused because asker and node disagree on the owners. */
  refused = 0
  readonly #parts: SharedParts
  readonly #hints: HintStore
  readonly #stamps: RepairStamps
  readonly #unchecked: boolean

  constructor(parts: SharedParts, hints: HintStore, stamps: RepairStamps) {
    this.#parts = parts
    this.#hints = hints
    this.#stamps = stamps
    this.#unchecked = parts.bugs.has('epoch-unchecked')
  }

  onGet(from: MemberNumber, message: GetMessage): void {
    const { local, store, outbox, peers } = this.#parts
    const peer = peers.of(from)
    if (peer === undefined) return
    const { slot, generation, partition, key } = message
    let status = this.#agrees(partition, message.since, key, true)
    let record: Uint8Array | undefined
    let held = false
    if (status === replyStatus.ok) {
      status = local.read(partition, key)
      record = local.record
      held = local.ticketOf(partition, key) > store.durableTicket
    }
    const size = fixedBytesMax + (record?.length ?? 0)
    const writer = outbox.begin(peer.queue, messageType.getReply, size, held)
    if (writer === undefined) return
    writeGetReply(
      writer,
      slot,
      generation,
      status,
      status === replyStatus.ok || status === replyStatus.absent ? this.#heldMs(partition, key) : 0,
      record,
    )
    outbox.end()
  }

  #heldMs(partition: number, key: Uint8Array): number {
    return this.#stamps.heldMs(partition, this.#parts.routes.bucketNumbered(bucketOfKey(key))!)
  }

  /** @throws RecordError when what was sent is no record */
  onReplicate(from: MemberNumber, message: ReplicateMessage, now: Now): void {
    const { outbox, peers } = this.#parts
    const { partition, key, record, hintFor } = message
    checkRecord(record)
    const first = siblingsAt(record)
    const stampMs = readStampMs(record, first)
    this.#parts.clock.observe(stampMs, readStampLogical(record, first), now.wallMs)
    let status = this.#agrees(partition, message.since, key, hintFor === 0)
    if (status === replyStatus.ok) status = this.#take(message, stampMs, now)
    const peer = peers.of(from)
    if (message.asker === asker.nobody || peer === undefined) return
    const held = status === replyStatus.ok && this.#waits(message)
    const writer = outbox.begin(peer.queue, messageType.replicateReply, fixedBytesMax, held)
    if (writer === undefined) return
    writeReplicateReply(writer, message.asker, message.slot, message.generation, status, hintFor)
    outbox.end()
  }

  #take(message: ReplicateMessage, stampMs: number, now: Now): ReplyStatus {
    if (stampMs <= this.#stamps.fencedMs[message.partition]!) {
      const late = lateWrite(this.#parts, this.#stamps, message)
      if (late !== undefined) return late
    }
    return message.hintFor === 0 ? this.#absorb(message) : this.#hint(message, now)
  }

  #waits({ partition, key, hintFor }: ReplicateMessage): boolean {
    const { local, store } = this.#parts
    return (hintFor === 0 ? local.ticketOf(partition, key) : store.ticket) > store.durableTicket
  }

  #absorb({ partition, key, record, complete }: ReplicateMessage): ReplyStatus {
    const bucket = this.#parts.routes.bucketNumbered(bucketOfKey(key))!
    return this.#parts.local.absorb(partition, key, record, bucket, complete)
  }

  #hint({ partition, key, record, hintFor }: ReplicateMessage, now: Now): ReplyStatus {
    const bucket = this.#parts.routes.bucketNumbered(bucketOfKey(key))!
    return keepHint(this.#hints, this.#parts.local, hintFor, partition, key, record, bucket, now.wallMs)
  }

  /** Do both have the same owners for it, and (unless it is a hint) is this node one of them? */
  #agrees(partition: number, since: number, key: Uint8Array, asOwner: boolean): ReplyStatus {
    const { routes, self } = this.#parts
    const bucket = key.length < 2 ? undefined : routes.bucketNumbered(bucketOfKey(key))
    if (bucket === undefined || partition >= routes.topology.partitions) return this.#refuse(replyStatus.behind)
    if (this.#unchecked) return replyStatus.ok
    const route = routes.route(partition, bucket.n)
    const agreed = epochStatus(route, since)
    if (agreed !== replyStatus.ok) return this.#refuse(agreed)
    if (asOwner && !route.members.includes(self)) return this.#refuse(replyStatus.stale)
    return replyStatus.ok
  }

  #refuse(status: ReplyStatus): ReplyStatus {
    this.refused++
    return status
  }
}

/** What to tell an asker whose owners of the partition came into force in epoch `since`. */
export function epochStatus(route: Route, since: number): ReplyStatus {
  if (since === route.since) return replyStatus.ok
  return since < route.since ? replyStatus.stale : replyStatus.behind
}
