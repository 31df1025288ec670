import { descends } from '../causality/version-vector.js'
import type { Bucket } from '../coordination/topology.js'
import type { MemberNumber } from '../node/identity.js'
import type { Now } from '../node/now.js'
import type { ErrorResult, KeyResult } from '../node/result.js'
import type { Context } from '../record/context-format.js'
import { sameBytes } from '../record/merge-records.js'
import { decodeRecord } from '../record/record-format.js'
import { messageType } from '../wire/message-type.js'
import {
  asker,
  fixedBytesMax,
  type GetReplyMessage,
  type ReplicateReplyMessage,
  writeGet,
  writeReplicate,
} from '../wire/replication-messages.js'
import { answerOf, type MergeFunction } from './answer.js'
import { type Batch, GetSlot } from './get-request-slot.js'
import { LatencyTracker } from './latency-tracker.js'
import type { Peer } from './peers.js'
import { met, reached } from './quorum.js'
import { replyStatus } from './reply-status.js'
import { RequestTable } from './request-table.js'
import type { SharedParts } from './shared-parts.js'

/** A read, as the node has checked it. */
export interface Read {
  id: number
  bucket: Bucket
  /** As stored. */
  key: Uint8Array
  partition: number
  r: number
  session: readonly Context[] | undefined
  deadlineMs: number
}

/** How soon one is asked again whose topology is another one. */
const topologyRetryMs = 20

/**
 * Reads: asks `r` owners, more of them when those are slow or fail, and answers when enough agree. When they do not agree, the
 * merge of what they said is written back until every later read of `r` must meet it; only then is it answered (docs/cluster/replication.md).
 */
export class GetCoordinator {
  /** Reads that saw replicas disagree. */
  repairs = 0
  /** Reads that asked more replicas because some were slow. */
  hedges = 0
  readonly #parts: SharedParts
  readonly #table: RequestTable<GetSlot>
  readonly #merges: ReadonlyMap<string, MergeFunction>
  readonly #latency = new LatencyTracker()
  readonly #due: GetSlot[] = []
  readonly #noWriteBack: boolean

  constructor(parts: SharedParts, merges: ReadonlyMap<string, MergeFunction>) {
    this.#parts = parts
    this.#merges = merges
    this.#noWriteBack = parts.bugs.has('read-repair-without-write-back')
    this.#table = new RequestTable(
      () => new GetSlot(),
      parts.config.requestsInFlightMax,
      parts.random() * 2 ** 32,
      parts.bugs.has('late-reply-counted'),
    )
  }

  get wakeAtMs(): number {
    return this.#table.wakeAtMs
  }

  get inFlight(): number {
    return this.#table.active.length
  }

  /** False: too many in flight; nothing was done. */
  start(read: Read, batch: Batch | undefined, position: number, now: Now): boolean {
    const slot = this.#table.take()
    if (slot === undefined) return false
    slot.id = read.id
    slot.batch = batch
    slot.position = position
    slot.bucket = read.bucket
    slot.key = read.key
    slot.partition = read.partition
    slot.r = read.r
    slot.session = read.session
    slot.deadlineMs = read.deadlineMs
    const { hedgeDelayMinMs, hedgeDelayMaxMs } = this.#parts.config
    slot.hedgeDelayMs = Math.min(hedgeDelayMaxMs, Math.max(hedgeDelayMinMs, this.#latency.p95Ms))
    this.#begin(slot, now)
    return true
  }

  /** From the beginning, with the owners of now. */
  #begin(slot: GetSlot, now: Now): void {
    slot.reset(this.#parts.routes.route(slot.partition, slot.bucket.n))
    this.#table.wakeAt(slot, Math.min(slot.deadlineMs, now.monotonicMs + slot.hedgeDelayMs))
    this.#askEnough(slot, now)
    this.#check(slot, now)
  }

  /** Asks until `r` of each set have been asked that have not failed. */
  #askEnough(slot: GetSlot, now: Now): void {
    const { readSets } = slot.route
    while (!reached(readSets, slot.asked & ~slot.failed, slot.r)) if (!this.#askNext(slot, now)) return
  }

  /** Asks the best one that was not asked. False: there is none. */
  #askNext(slot: GetSlot, now: Now): boolean {
    const { members, readSets } = slot.route
    let best = -1
    let bestRank = Number.POSITIVE_INFINITY
    let bestPeer: Peer | undefined
    for (let i = 0; i < members.length; i++) {
      const bit = 1 << i
      // To heal a damaged one takes all others, those that only take writes for now too.
      if (slot.asked & bit || (slot.damaged === 0 && !isIn(readSets, bit))) continue
      const member = members[i]!
      if (member === this.#parts.self) {
        best = i
        bestPeer = undefined
        break
      }
      const peer = this.#parts.peers.of(member)
      const rank = peer === undefined ? Number.MAX_VALUE : this.#parts.peers.rank(peer)
      if (rank >= bestRank) continue
      best = i
      bestRank = rank
      bestPeer = peer
    }
    if (best < 0) return false
    this.#ask(slot, best, bestPeer, now)
    return true
  }

  #ask(slot: GetSlot, place: number, peer: Peer | undefined, now: Now): void {
    slot.asked |= 1 << place
    slot.askedAtMs[place] = now.monotonicMs
    if (slot.route.members[place] === this.#parts.self) {
      this.#askSelf(slot, place)
      return
    }
    const writer =
      peer === undefined
        ? undefined
        : this.#parts.outbox.begin(peer.queue, messageType.get, fixedBytesMax + slot.key.length, false)
    if (writer === undefined) {
      slot.failed |= 1 << place
      return
    }
    writeGet(writer, slot.index, slot.generation, slot.route.since, slot.partition, slot.key)
    this.#parts.outbox.end()
  }

  #askSelf(slot: GetSlot, place: number): void {
    const { local, store } = this.#parts
    const status = local.read(slot.partition, slot.key)
    slot.heldMs = Math.max(slot.heldMs, local.stamps?.heldMs(slot.partition, slot.bucket) ?? 0)
    this.#note(slot, place, status, local.record)
    const ticket = local.ticketOf(slot.partition, slot.key)
    if (ticket <= store.durableTicket) return
    // A crash could still take it back: it counts once it is durable.
    slot.answered &= ~(1 << place)
    if (!(slot.failed & (1 << place))) slot.localTicket = ticket
  }

  #note(slot: GetSlot, place: number, status: number, record: Uint8Array | undefined): void {
    const bit = 1 << place
    if (status === replyStatus.ok || status === replyStatus.absent) {
      slot.answered |= bit
      slot.records[place] = status === replyStatus.ok ? record : undefined
      return
    }
    slot.failed |= bit
    if (status === replyStatus.damaged) slot.damaged |= bit
  }

  onReply(from: MemberNumber, message: GetReplyMessage, now: Now): void {
    const slot = this.#table.find(message.slot, message.generation)
    if (slot === undefined || slot.merged !== undefined) return
    const place = slot.route.members.indexOf(from)
    const bit = 1 << place
    if (place < 0 || !(slot.asked & bit) || slot.answered & bit) return
    // It slept, or the network did: the client has been told otherwise, or will be in this turn.
    if (now.monotonicMs >= slot.deadlineMs) {
      this.#expire(slot)
      return
    }
    const { status } = message
    if (status === replyStatus.stale || status === replyStatus.behind) {
      // One of us learns the topology; it is asked again soon.
      slot.asked &= ~bit
      this.#table.wakeAt(slot, Math.min(slot.wakeAtMs, now.monotonicMs + topologyRetryMs))
      return
    }
    const took = now.monotonicMs - (slot.askedAtMs[place] ?? now.monotonicMs)
    this.#latency.record(took)
    this.#parts.peers.of(from)?.answered(took)
    slot.heldMs = Math.max(slot.heldMs, message.heldMs)
    this.#note(slot, place, status, message.record)
    if (slot.failed & bit) this.#askEnough(slot, now)
    this.#check(slot, now)
  }

  /** Enough answers? */
  #check(slot: GetSlot, now: Now): void {
    // A damaged replica is healed from all the others, if they answer before this read does; healed, it counts.
    const heals = slot.damaged !== 0 && this.#allOthersAnswered(slot)
    if (!heals && !this.#enough(slot, slot.answered)) return
    if (slot.damaged !== 0 && !heals) while (this.#askNext(slot, now));
    let first: Uint8Array | undefined
    let merged: Uint8Array | undefined
    let seen = false
    let agree = true
    for (let i = 0; i < slot.route.members.length; i++) {
      if (!(slot.answered & (1 << i))) continue
      const record = slot.records[i]
      if (!seen) {
        seen = true
        first = record
        merged = record
      } else if (!same(first, record)) {
        agree = false
        if (merged === undefined) merged = record
        else if (record !== undefined) merged = this.#parts.local.merge(merged, record, slot.bucket)
      }
    }
    if (slot.session !== undefined && !seesSession(slot.session, slot.heldMs, merged)) {
      this.#askNext(slot, now)
      return
    }
    if (agree && slot.damaged === 0) {
      this.#answer(slot, merged, now)
      return
    }
    this.#writeBack(slot, merged, now)
  }

  #enough({ route, r }: GetSlot, answers: number): boolean {
    return reached(route.readSets, answers, r)
  }

  #allOthersAnswered(slot: GetSlot): boolean {
    return (slot.answered | slot.damaged) === slot.route.everyone
  }

  #writeBack(slot: GetSlot, merged: Uint8Array | undefined, now: Now): void {
    if (merged === undefined) {
      // Nothing to heal a damaged replica with: enough others must have said that there is nothing.
      if (this.#enough(slot, slot.answered)) this.#answer(slot, merged, now)
      return
    }
    this.repairs++
    if (this.#noWriteBack) {
      this.#answer(slot, merged, now)
      return
    }
    slot.merged = merged
    const { members } = slot.route
    for (let i = 0; i < members.length; i++) {
      const bit = 1 << i
      if (slot.answered & bit && same(slot.records[i], merged)) slot.holders |= bit
    }
    // Those that a read of one does not have to wait for get it all the same.
    this.#sendBack(slot, (slot.answered | this.#healable(slot)) & ~slot.holders, now)
    this.#checkHeld(slot, now)
    if (slot.active) this.#table.wakeAt(slot, Math.min(slot.deadlineMs, now.monotonicMs + slot.hedgeDelayMs))
  }

  #healable(slot: GetSlot): number {
    return this.#allOthersAnswered(slot) ? slot.damaged : 0
  }

  #sendBack(slot: GetSlot, to: number, now: Now): void {
    const { self, local, store, peers, outbox } = this.#parts
    const { members } = slot.route
    const record = slot.merged!
    for (let i = 0; i < members.length; i++) {
      const bit = 1 << i
      if (!(to & bit)) continue
      const complete = (slot.damaged & bit) !== 0 && this.#allOthersAnswered(slot)
      if (members[i] === self) {
        const { partition, key, bucket } = slot
        const status = local.isOver(partition, key, record, bucket)
          ? replyStatus.ok
          : local.absorb(partition, key, record, bucket, complete)
        if (status !== replyStatus.ok) continue
        if (store.ticket <= store.durableTicket) slot.holders |= bit
        else slot.ownHoldTicket = store.ticket
        continue
      }
      const peer = peers.of(members[i]!)
      if (peer === undefined) continue
      slot.askedAtMs[i] = now.monotonicMs
      const size = fixedBytesMax + slot.key.length + record.length
      const writer = outbox.begin(peer.queue, messageType.replicate, size, false)
      if (writer === undefined) continue
      const { index, generation, partition, key, route } = slot
      writeReplicate(writer, asker.get, index, generation, route.since, partition, 0, complete, key, record)
      outbox.end()
    }
  }

  onReplicateReply(from: MemberNumber, message: ReplicateReplyMessage, now: Now): void {
    const slot = this.#table.find(message.slot, message.generation)
    if (slot === undefined || slot.merged === undefined || message.status !== replyStatus.ok) return
    const place = slot.route.members.indexOf(from)
    if (place < 0) return
    if (now.monotonicMs >= slot.deadlineMs) {
      this.#expire(slot)
      return
    }
    slot.holders |= 1 << place
    this.#checkHeld(slot, now)
  }

  #checkHeld(slot: GetSlot, now: Now): void {
    if (!this.#enough(slot, slot.answered | slot.holders)) return
    // A read of one promises nothing to the next read.
    if (slot.r === 1 || met(slot.route.writeSets, slot.holders, slot.r)) this.#answer(slot, slot.merged, now)
  }

  /** The store has got further. */
  onDurable(now: Now): void {
    const { durableTicket } = this.#parts.store
    const { active } = this.#table
    for (let i = active.length - 1; i >= 0; i--) {
      const slot = active[i]!
      if (slot.localTicket !== 0 && slot.localTicket <= durableTicket) {
        slot.localTicket = 0
        slot.answered |= 1 << slot.route.members.indexOf(this.#parts.self)
        if (slot.merged === undefined) this.#check(slot, now)
      } else if (slot.ownHoldTicket !== 0 && slot.ownHoldTicket <= durableTicket) {
        slot.ownHoldTicket = 0
        slot.holders |= 1 << slot.route.members.indexOf(this.#parts.self)
        this.#checkHeld(slot, now)
      }
    }
  }

  /** Owners may have changed: what was asked of the old ones begins again. */
  onTopology(now: Now): void {
    for (const slot of [...this.#table.active]) {
      const route = this.#parts.routes.route(slot.partition, slot.bucket.n)
      if (slot.active && route.since !== slot.route.since) this.#begin(slot, now)
    }
  }

  onTimer(now: Now): void {
    this.#table.due(now.monotonicMs, this.#due)
    for (const slot of this.#due) {
      if (!slot.active) continue
      if (now.monotonicMs >= slot.deadlineMs) this.#expire(slot)
      else this.#hedge(slot, now)
    }
  }

  /** Too slow: the next ones are asked; when all have been, all that are silent are asked again. */
  #hedge(slot: GetSlot, now: Now): void {
    slot.hedgeDelayMs = Math.min(slot.hedgeDelayMs * 2, this.#parts.config.resendIntervalMs)
    this.#table.wakeAt(slot, Math.min(slot.deadlineMs, now.monotonicMs + slot.hedgeDelayMs))
    if (slot.merged !== undefined) {
      this.#sendBack(slot, slot.route.everyone & ~slot.holders, now)
      return
    }
    this.hedges++
    this.#blameSilent(slot, now)
    const asked = slot.asked
    // Nobody has what the session saw: they may have it by now.
    if (slot.session !== undefined && slot.answered === slot.route.everyone) slot.answered = 0
    if (!this.#askNext(slot, now)) {
      // Silent ones, and those that failed: that may have been for a moment.
      slot.asked = slot.answered | (slot.localTicket === 0 ? 0 : 1 << slot.route.members.indexOf(this.#parts.self))
      slot.failed = 0
      slot.damaged = 0
      while (this.#askNext(slot, now));
    }
    if (slot.asked !== asked || slot.answered !== 0) this.#check(slot, now)
  }

  #blameSilent(slot: GetSlot, now: Now): void {
    const { members } = slot.route
    for (let i = 0; i < members.length; i++)
      if (slot.asked & ~slot.answered & ~slot.failed & (1 << i))
        this.#parts.peers.of(members[i]!)?.silent(now.monotonicMs - (slot.askedAtMs[i] ?? now.monotonicMs))
  }

  #answer(slot: GetSlot, record: Uint8Array | undefined, now: Now): void {
    this.#finish(slot, answerOf(record, slot.bucket, this.#merges, now.wallMs))
  }

  #expire(slot: GetSlot): void {
    this.#finish(slot, unanswered(slot))
  }

  #finish(slot: GetSlot, result: KeyResult): void {
    const { id, batch, position } = slot
    slot.clear()
    this.#table.release(slot)
    if (batch === undefined) {
      this.#parts.sink.reply(id, result)
      return
    }
    batch.results[position] = result
    if (--batch.left === 0) this.#parts.sink.reply(batch.id, { status: 'many', results: batch.results })
  }
}

function unanswered(slot: GetSlot): ErrorResult {
  return {
    status: 'error',
    code: 'CASKADE_UNAVAILABLE',
    message: `not ${slot.r} of ${slot.route.n} owners of partition ${slot.partition} agreed in time: retry, or read at a weaker level`,
  }
}

/** By identity first: the merge of two records is often one of them. */
function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && sameBytes(a, b))
}

function isIn(sets: readonly number[], bit: number): boolean {
  for (let i = 0; i < sets.length; i++) if (sets[i]! & bit) return true
  return false
}

/** Whatever it has seen is in the record, or was collected: every owner had it, and it was deleted, or has expired. */
function seesSession(session: readonly Context[], heldMs: number, merged: Uint8Array | undefined): boolean {
  const history = merged === undefined ? [] : decodeRecord(merged).history
  return session.every((context) => context.stampMs <= heldMs || descends(history, context.history))
}
