import { covers } from '../causality/version-vector.js'
import { isStampedBy } from '../convergence/collectable.js'
import type { HintStore } from '../convergence/hint-store.js'
import { keepHint } from '../convergence/keep-hint.js'
import type { Bucket } from '../coordination/topology.js'
import type { Condition } from '../node/client-request.js'
import type { MemberNumber } from '../node/identity.js'
import type { MintingEpoch } from '../node/minting-epoch.js'
import type { Now } from '../node/now.js'
import type { ValueResult } from '../node/result.js'
import type { NewWrite } from '../record/mint-record.js'
import { recordVersion, visibleSiblings } from '../record/read-record.js'
import { RecordError } from '../record/record-error.js'
import { checkRecord, decodeRecord } from '../record/record-format.js'
import { recordBytesMax } from '../wire/frame-format.js'
import { messageType } from '../wire/message-type.js'
import {
  asker,
  ForwardMessage,
  type ForwardReplyMessage,
  fixedBytesMax,
  forwardFlags,
  type ReplicateReplyMessage,
  writeForwardReply,
  writeReplicate,
} from '../wire/replication-messages.js'
import { isAlone, type MergeFunction, writtenAnswer, writtenBesideAnswer } from './answer.js'
import type { Peer } from './peers.js'
import { PutSlot } from './put-request-slot.js'
import { reachable, reached } from './quorum.js'
import { rememberRequests } from './replaced-twins.js'
import { epochStatus } from './replica.js'
import { type ReplyStatus, replyStatus, resultCodeOf } from './reply-status.js'
import { RequestTable } from './request-table.js'
import type { SharedParts } from './shared-parts.js'

/** A write, as the node has checked it. */
export interface Write {
  id: number
  bucket: Bucket
  /** As stored. */
  key: Uint8Array
  partition: number
  w: number
  sloppy: boolean
  tombstone: boolean
  value: Uint8Array
  expiresAt: number
  context: Uint8Array | undefined
  requestHigh: number
  requestLow: number
  condition: Condition | undefined
  deadlineMs: number
}

/** How soon one is asked again whose topology is another one. */
const topologyRetryMs = 20
const attemptsMax = 30

/**
 * Writes. Only an owner mints: any other node forwards to the best owner. The owner updates its own record, stores it, sends the
 * whole record to all other owners and answers when `w` of each owner set have it durably (docs/cluster/replication.md).
 */
export class PutCoordinator {
  readonly #parts: SharedParts
  readonly #epoch: MintingEpoch
  readonly #hints: HintStore
  readonly #table: RequestTable<PutSlot>
  readonly #due: PutSlot[] = []
  readonly #forward = new ForwardMessage()
  readonly #merges: ReadonlyMap<string, MergeFunction>
  readonly #hintsCount: boolean
  readonly #mintsTwice: boolean

  constructor(parts: SharedParts, epoch: MintingEpoch, hints: HintStore, merges: ReadonlyMap<string, MergeFunction>) {
    this.#parts = parts
    this.#merges = merges
    this.#epoch = epoch
    this.#hints = hints
    const { bugs, config, random } = parts
    this.#hintsCount = bugs.has('hint-counts-strictly')
    this.#mintsTwice = bugs.has('retry-minted-twice')
    this.#table = new RequestTable(
      () => new PutSlot(),
      config.requestsInFlightMax,
      random() * 2 ** 32,
      bugs.has('late-reply-counted'),
    )
  }

  get wakeAtMs(): number {
    return this.#table.wakeAtMs
  }

  get inFlight(): number {
    return this.#table.active.length
  }

  /** False: too many in flight; nothing was done. */
  start(write: Write, now: Now): boolean {
    const slot = this.#take()
    if (slot === undefined) return false
    slot.id = write.id
    slot.origin = 0
    slot.bucket = write.bucket
    slot.key = write.key
    slot.partition = write.partition
    slot.w = write.w
    slot.sloppy = write.sloppy
    slot.context = write.context
    const { condition } = write
    slot.ifAbsent = condition !== undefined && 'ifAbsent' in condition
    slot.ifVersion = condition !== undefined && 'ifVersion' in condition ? condition.ifVersion : -1
    slot.deadlineMs = write.deadlineMs
    const wanted = slot.write
    wanted.value = write.value
    wanted.tombstone = write.tombstone
    wanted.expiresAt = write.expiresAt
    wanted.requestHigh = write.requestHigh
    wanted.requestLow = write.requestLow
    this.#begin(slot, now)
    return true
  }

  /** From another node, whose client's write it is. */
  onForward(from: MemberNumber, message: ForwardMessage, now: Now): void {
    const { routes, self, config } = this.#parts
    const bucket = routes.bucketNumbered(((message.key[0] ?? 0) << 8) | (message.key[1] ?? 0))
    if (bucket === undefined || message.partition >= routes.topology.partitions) {
      this.#replyTo(from, message, replyStatus.behind)
      return
    }
    const route = routes.route(message.partition, bucket.n)
    const agreed = epochStatus(route, message.since)
    if (agreed !== replyStatus.ok) {
      this.#replyTo(from, message, agreed)
      return
    }
    if (!(route.minters & (1 << route.members.indexOf(self))) || !route.members.includes(self)) {
      this.#replyTo(from, message, replyStatus.stale)
      return
    }
    // Its client gave it up long ago. Minted now it would be newer than all that was written since.
    if (now.wallMs > message.endsAtMs + config.clockSkewMaxMs) {
      this.#replyTo(from, message, replyStatus.unavailable)
      return
    }
    const slot = this.#take()
    if (slot === undefined) {
      this.#replyTo(from, message, replyStatus.overloaded)
      return
    }
    const { flags } = message
    slot.origin = from
    slot.originSlot = message.slot
    slot.originGeneration = message.generation
    slot.originAttempt = message.attempt
    slot.bucket = bucket
    slot.key = message.key
    slot.partition = message.partition
    slot.w = message.w
    slot.sloppy = (flags & forwardFlags.sloppy) !== 0
    slot.context = flags & forwardFlags.context ? message.context : undefined
    slot.ifAbsent = (flags & forwardFlags.ifAbsent) !== 0
    slot.ifVersion = flags & forwardFlags.ifVersion ? message.ifVersion : -1
    slot.deadlineMs = now.monotonicMs + message.budgetMs
    const wanted = slot.write
    wanted.value = message.value
    wanted.tombstone = (flags & forwardFlags.delete) !== 0
    wanted.expiresAt = message.expiresAt
    wanted.requestHigh = message.requestHigh
    wanted.requestLow = message.requestLow
    this.#begin(slot, now)
  }

  /** A slot; when none is free, that of a write which has been answered and only waits for its last acknowledgements. */
  #take(): PutSlot | undefined {
    if (this.#table.full) {
      const draining = this.#table.active.find((slot) => slot.phase === 'draining')
      if (draining !== undefined) this.#release(draining)
    }
    return this.#table.take()
  }

  #begin(slot: PutSlot, now: Now): void {
    const { routes, self, config } = this.#parts
    slot.route = routes.route(slot.partition, slot.bucket.n)
    slot.startedAtMs = now.monotonicMs
    slot.resendMs = config.resendIntervalMs
    slot.attempts = 0
    slot.open = 0
    slot.tried = 0
    slot.refusal = replyStatus.unavailable
    slot.phase = 'forwarding'
    const place = slot.route.members.indexOf(self)
    if (place >= 0 && slot.route.minters & (1 << place)) this.#mint(slot, place, now)
    else this.#pass(slot, now)
  }

  // --- Forwarding

  /**
   * Silence: once more to the same owner, unless it is held for away, since it may only be slow; what two owners mint is one event
   * when they meet, but until then it is two. Then to the next.
   */
  #passAgain(slot: PutSlot, now: Now): void {
    const { peers } = this.#parts
    const peer = peers.of(slot.route.members[slot.askedPlace] ?? 0)
    if (slot.attempts === 1 && peer !== undefined && peers.verdict(peer) === 'alive')
      slot.tried &= ~(1 << slot.askedPlace)
    this.#pass(slot, now)
  }

  /** To the best owner that was not tried. */
  #pass(slot: PutSlot, now: Now): void {
    if (now.monotonicMs >= slot.deadlineMs) {
      this.#expire(slot, now)
      return
    }
    this.#table.wakeAt(slot, Math.min(slot.deadlineMs, now.monotonicMs + slot.resendMs))
    const place = this.#bestMinter(slot)
    if (place < 0) {
      // All were tried: again, after the pause.
      slot.tried = 0
      if (slot.sloppy && slot.open === 0) this.#mintInTheirPlace(slot, now)
      return
    }
    slot.tried |= 1 << place
    slot.askedPlace = place
    this.#sendForward(slot, this.#parts.peers.of(slot.route.members[place]!)!, now)
  }

  #bestMinter(slot: PutSlot): number {
    const { peers, self } = this.#parts
    const { members, minters } = slot.route
    let best = -1
    let bestRank = Number.POSITIVE_INFINITY
    for (let i = 0; i < members.length; i++) {
      if (slot.tried & (1 << i) || !(minters & (1 << i)) || members[i] === self) continue
      const peer = peers.of(members[i]!)
      if (peer === undefined || (slot.sloppy && peers.verdict(peer) === 'dead')) continue
      const rank = peers.rank(peer)
      if (rank < bestRank) {
        best = i
        bestRank = rank
      }
    }
    return best
  }

  #sendForward(slot: PutSlot, peer: Peer, now: Now): void {
    const { write } = slot
    if (!((write.requestHigh | write.requestLow) !== 0)) {
      // Two owners may come to mint it: as one event.
      write.requestHigh = Math.floor(this.#parts.random() * 2 ** 32)
      write.requestLow = Math.floor(this.#parts.random() * 2 ** 32) | 1
    }
    const size = fixedBytesMax + slot.key.length + (slot.context?.length ?? 0) + write.value.length
    const writer = this.#parts.outbox.begin(peer.queue, messageType.forward, size, false)
    if (writer === undefined) return
    const message = this.#forward
    message.slot = slot.index
    message.generation = slot.generation
    message.attempt = slot.attempts
    // An attempt that has no bit stays open for ever.
    slot.open |= 1 << Math.min(slot.attempts, attemptsMax)
    if (slot.attempts < attemptsMax) slot.attempts++
    message.since = slot.route.since
    message.partition = slot.partition
    message.flags =
      (write.tombstone ? forwardFlags.delete : 0) |
      (slot.context === undefined ? 0 : forwardFlags.context) |
      (slot.ifAbsent ? forwardFlags.ifAbsent : 0) |
      (slot.ifVersion >= 0 ? forwardFlags.ifVersion : 0) |
      (slot.sloppy ? forwardFlags.sloppy : 0)
    message.w = slot.w
    message.budgetMs = Math.max(0, Math.floor(slot.deadlineMs - now.monotonicMs))
    message.endsAtMs = Math.floor(now.wallMs) + message.budgetMs
    message.requestHigh = write.requestHigh
    message.requestLow = write.requestLow
    message.expiresAt = write.expiresAt
    message.ifVersion = Math.max(0, slot.ifVersion)
    message.key = slot.key
    message.context = slot.context ?? noContext
    message.value = write.value
    message.write(writer)
    this.#parts.outbox.end()
  }

  onForwardReply(from: MemberNumber, message: ForwardReplyMessage, now: Now): void {
    const slot = this.#table.find(message.slot, message.generation)
    if (slot === undefined || slot.phase !== 'forwarding') return
    if (now.monotonicMs >= slot.deadlineMs) {
      this.#expire(slot, now)
      return
    }
    const { status } = message
    if (status === replyStatus.ok) {
      const { version, timestampMs, context, record } = message
      if (record.length > 0) checkRecord(record)
      const answer: ValueResult =
        record.length > 0
          ? writtenBesideAnswer(record, slot.bucket, this.#merges, now.wallMs)
          : { status: 'ok', values: [], version, context, timestampMs }
      this.#release(slot)
      this.#parts.sink.reply(slot.id, answer)
      return
    }
    // It may have happened: another owner may still acknowledge the same request.
    if (status === replyStatus.uncertain) return
    if (message.attempt < attemptsMax) slot.open &= ~(1 << message.attempt)
    slot.refusal = status as ReplyStatus
    if ((status === replyStatus.condition || status === replyStatus.badRequest) && slot.open === 0) {
      this.#fail(slot, status)
      return
    }
    if (status === replyStatus.stale || status === replyStatus.behind) {
      slot.tried &= ~(1 << slot.route.members.indexOf(from))
      this.#table.wakeAt(slot, Math.min(slot.deadlineMs, now.monotonicMs + topologyRetryMs))
    } else this.#pass(slot, now)
  }

  // --- Minting

  #mint(slot: PutSlot, place: number, now: Now): void {
    if (!slot.sloppy && !this.#enoughAlive(slot)) {
      this.#refused(slot, place, replyStatus.unavailable, now)
      return
    }
    const { local } = this.#parts
    let status = local.mayMint()
    if (status === replyStatus.ok) status = local.read(slot.partition, slot.key)
    if (status !== replyStatus.ok && status !== replyStatus.absent) {
      this.#refused(slot, place, status, now)
      return
    }
    const before = local.record
    const record = this.#recordOf(slot, before, now)
    if (record === undefined) return
    let ticket: number
    if (record === before) ticket = local.ticketOf(slot.partition, slot.key)
    else {
      const stored = local.put(slot.partition, slot.key, before, record)
      if (stored !== replyStatus.ok) {
        this.#refused(slot, place, stored, now)
        return
      }
      ticket = local.lastTicket
    }
    rememberRequests(record, local.requests)
    this.#replicate(slot, record, place, ticket, now)
  }

  /** No owner lives: a fallback mints on top of the hint that it keeps for the first of them. */
  #mintInTheirPlace(slot: PutSlot, now: Now): void {
    const { self, local, store } = this.#parts
    const { members, fallbacks, minters } = slot.route
    const place = members.findIndex((_, i) => minters & (1 << i))
    if (place < 0 || !fallbacks.includes(self)) return
    if (local.mayMint() !== replyStatus.ok) return
    const before = this.#hints.get(members[place]!, slot.partition, slot.key)
    const record = this.#recordOf(slot, before, now)
    if (record === undefined) return
    const status = keepHint(
      this.#hints,
      local,
      members[place]!,
      slot.partition,
      slot.key,
      record,
      slot.bucket,
      now.wallMs,
    )
    if (status !== replyStatus.ok) {
      this.#fail(slot, status)
      return
    }
    rememberRequests(record, local.requests)
    slot.nextFallback = 0
    this.#replicate(slot, record, place, store.ticket, now)
    if (slot.active) slot.hinted |= 1 << place
  }

  /** What is to be replicated: `before` itself if it has the write already; `undefined` if the request has been answered. */
  #recordOf(slot: PutSlot, before: Uint8Array | undefined, now: Now): Uint8Array | undefined {
    const { write } = slot
    const { local } = this.#parts
    const named = (write.requestHigh | write.requestLow) !== 0 && !this.#mintsTwice
    if (named && before !== undefined && this.#isIn(before, write)) return before
    if (this.#mintsTwice) write.requestHigh = write.requestLow = 0
    let record: Uint8Array
    try {
      record = local.minted(before, slot.context, write, slot.bucket, now.wallMs)
    } catch (error) {
      if (!(error instanceof RecordError)) throw error
      this.#fail(slot, replyStatus.badRequest)
      return undefined
    }
    if (record === before) return record
    if (!this.#holds(slot, before, now)) {
      this.#fail(slot, replyStatus.condition)
      return undefined
    }
    if (record.length <= recordBytesMax) return record
    this.#fail(slot, replyStatus.badRequest)
    return undefined
  }

  /** Has the record seen this request? To have heard of it is not enough: it may have been refused for want of room. */
  #isIn(record: Uint8Array, { requestHigh, requestLow }: NewWrite): boolean {
    const { requests } = this.#parts.local
    const place = requests.find(requestHigh, requestLow)
    return place >= 0 && covers(decodeRecord(record).history, requests.actorAt(place), requests.counterAt(place))
  }

  #holds({ ifAbsent, ifVersion }: PutSlot, before: Uint8Array | undefined, now: Now): boolean {
    if (!ifAbsent && ifVersion < 0) return true
    if (ifAbsent) return before === undefined || visibleSiblings(before, now.wallMs).length === 0
    return (before === undefined ? 0 : recordVersion(before)) === ifVersion
  }

  #enoughAlive({ route, w }: PutSlot): boolean {
    const { peers, self } = this.#parts
    let dead = 0
    for (let i = 0; i < route.members.length; i++) {
      if (route.members[i] === self) continue
      const peer = peers.of(route.members[i]!)
      if (peer === undefined || peers.verdict(peer) === 'dead') dead |= 1 << i
    }
    return dead === 0 || reachable(route.writeSets, dead, w)
  }

  /** Not minted here, nothing has happened: another owner may be able to. */
  #refused(slot: PutSlot, place: number, status: ReplyStatus, now: Now): void {
    if (slot.origin !== 0 || status === replyStatus.unavailable) {
      this.#fail(slot, status)
      return
    }
    slot.refusal = status
    slot.tried |= 1 << place
    this.#pass(slot, now)
  }

  // --- Replicating

  #replicate(slot: PutSlot, record: Uint8Array, place: number, ticket: number, now: Now): void {
    slot.phase = 'replicating'
    slot.record = record
    slot.hinted = 0
    slot.nextFallback = 0
    this.#countFrom(slot, place, ticket, now)
  }

  /** Begins to count, for the route of now. */
  #countFrom(slot: PutSlot, place: number, ticket: number, now: Now): void {
    slot.acks = 0
    slot.failed = 0
    slot.sent = 0
    slot.ownPlace = place
    slot.localTicket = place >= 0 ? ticket : 0
    const { members } = slot.route
    this.#table.wakeAt(slot, Math.min(slot.deadlineMs, now.monotonicMs + slot.resendMs))
    for (let i = 0; i < members.length; i++) if (i !== place) this.#send(slot, i, now, false)
    if (place >= 0 && ticket <= this.#parts.store.durableTicket) this.#ownIsDurable(slot, now)
    else this.#check(slot, now)
  }

  #ownIsDurable(slot: PutSlot, now: Now): void {
    slot.localTicket = 0
    slot.acks |= 1 << slot.ownPlace
    this.#check(slot, now)
  }

  /** To an owner; if that is away or has too much to do, a hint. `again`: whatever is said of it. */
  #send(slot: PutSlot, place: number, now: Now, again: boolean): void {
    const { peers } = this.#parts
    const peer = peers.of(slot.route.members[place]!)
    if (peer === undefined) return
    if (!again && (peer.shed || peers.verdict(peer) === 'dead')) {
      this.#hintFor(slot, place, now)
      return
    }
    if (!this.#sendRecord(slot, peer, 0)) {
      this.#hintFor(slot, place, now)
      return
    }
    if (!(slot.sent & (1 << place))) peer.unanswered++
    slot.sent |= 1 << place
  }

  /** Nothing minted under an epoch that a crash could take back may leave: it waits as an acknowledgement does. */
  #sendRecord(slot: PutSlot, peer: Peer, hintFor: MemberNumber): boolean {
    const { outbox, store } = this.#parts
    const { index, generation, route, partition, key, record } = slot
    const size = fixedBytesMax + key.length + record.length
    const held = this.#epoch.ticket > store.durableTicket
    const writer = outbox.begin(peer.queue, messageType.replicate, size, held)
    if (writer === undefined) return false
    writeReplicate(writer, asker.put, index, generation, route.since, partition, hintFor, false, key, record)
    outbox.end()
    return true
  }

  /** Sloppy: on the next fallback that lives, where it counts. Strict: here, where it does not. */
  #hintFor(slot: PutSlot, place: number, now: Now): void {
    const { peers, self } = this.#parts
    const { fallbacks, members } = slot.route
    while (slot.sloppy && slot.nextFallback < fallbacks.length) {
      const fallback = fallbacks[slot.nextFallback++]!
      const peer = fallback === self ? undefined : peers.of(fallback)
      if (peer === undefined || peers.verdict(peer) === 'dead') continue
      if (this.#sendRecord(slot, peer, members[place]!)) return
    }
    this.#keepOwnHint(slot, place, now)
  }

  #keepOwnHint(slot: PutSlot, place: number, now: Now): void {
    if (slot.hinted & (1 << place)) return
    const { partition, key, record, bucket, route } = slot
    const { stamps } = this.#parts.local
    // All owners have had it.
    if (stamps !== undefined && isStampedBy(record, stamps.heldMs(partition, bucket))) return
    const target = route.members[place]!
    const status = keepHint(this.#hints, this.#parts.local, target, partition, key, record, bucket, now.wallMs)
    if (status !== replyStatus.ok) return
    slot.hinted |= 1 << place
    if (this.#hintsCount) slot.acks |= 1 << place
  }

  onReplicateReply(from: MemberNumber, message: ReplicateReplyMessage, now: Now): void {
    const slot = this.#table.find(message.slot, message.generation)
    if (slot === undefined || slot.phase === 'forwarding') return
    const { hintFor, status } = message
    const place = slot.route.members.indexOf(hintFor === 0 ? from : hintFor)
    if (place < 0) return
    if (slot.phase === 'replicating' && now.monotonicMs >= slot.deadlineMs) {
      this.#expire(slot, now)
      return
    }
    const bit = 1 << place
    if (hintFor === 0) this.#noteAnswer(slot, place, from, now)
    if (status === replyStatus.ok) {
      if (hintFor !== 0) slot.hinted |= bit
      if (hintFor === 0 || slot.sloppy) slot.acks |= bit
      this.#check(slot, now)
      return
    }
    if (status === replyStatus.stale || status === replyStatus.behind) {
      this.#table.wakeAt(slot, Math.min(slot.wakeAtMs, slot.deadlineMs, now.monotonicMs + topologyRetryMs))
      return
    }
    // Too late for the fence of a repair round: by the hint, or by that round, it gets there all the same.
    if (hintFor === 0 && status !== replyStatus.overloaded) slot.failed |= bit
    this.#hintFor(slot, place, now)
    this.#check(slot, now)
  }

  #noteAnswer(slot: PutSlot, place: number, from: MemberNumber, now: Now): void {
    const bit = 1 << place
    if (!(slot.sent & bit)) return
    slot.sent &= ~bit
    const peer = this.#parts.peers.of(from)
    if (peer === undefined) return
    if (peer.unanswered > 0) peer.unanswered--
    peer.answered(now.monotonicMs - slot.startedAtMs)
  }

  #check(slot: PutSlot, now: Now): void {
    const { route, acks, w } = slot
    if (slot.phase === 'replicating') {
      if (reached(route.writeSets, acks, w)) {
        this.#acknowledge(slot, now)
        slot.phase = 'draining'
        this.#table.wakeAt(slot, now.monotonicMs + this.#parts.config.resendIntervalMs)
      } else if (!slot.sloppy && !reachable(route.writeSets, slot.failed, w)) {
        this.#expire(slot, now)
        return
      }
    }
    if (slot.phase === 'draining' && (acks | slot.hinted) === route.everyone) this.#release(slot)
  }

  // --- Time

  onDurable(now: Now): void {
    const { durableTicket } = this.#parts.store
    const { active } = this.#table
    for (let i = active.length - 1; i >= 0; i--) {
      const slot = active[i]!
      if (slot.phase !== 'forwarding' && slot.localTicket !== 0 && slot.localTicket <= durableTicket)
        this.#ownIsDurable(slot, now)
    }
  }

  /** Owners may have changed: acknowledgements of the old ones say nothing about the new ones. */
  onTopology(now: Now): void {
    const { routes, self, local } = this.#parts
    for (const slot of [...this.#table.active]) {
      const route = routes.route(slot.partition, slot.bucket.n)
      if (!slot.active || route.since === slot.route.since) continue
      slot.route = route
      slot.tried = 0
      slot.hinted = 0
      slot.nextFallback = 0
      if (slot.phase === 'draining') this.#release(slot)
      else if (slot.phase === 'forwarding') this.#table.wakeAt(slot, now.monotonicMs)
      else {
        const place = route.members.indexOf(self)
        const { partition, key, record, bucket } = slot
        const isKept =
          place >= 0 &&
          (local.isOver(partition, key, record, bucket) ||
            local.absorb(partition, key, record, bucket, false) === replyStatus.ok)
        this.#countFrom(slot, isKept ? place : -1, local.ticketOf(partition, key), now)
      }
    }
  }

  onTimer(now: Now): void {
    this.#table.due(now.monotonicMs, this.#due)
    for (const slot of this.#due) {
      if (!slot.active) continue
      if (slot.phase === 'draining') {
        this.#leaveHints(slot, now)
        this.#release(slot)
      } else if (now.monotonicMs >= slot.deadlineMs) this.#expire(slot, now)
      else this.#again(slot, now)
    }
  }

  #again(slot: PutSlot, now: Now): void {
    slot.resendMs = Math.min(slot.resendMs * 2, 2000)
    if (slot.phase === 'forwarding') {
      const place = slot.route.members.indexOf(this.#parts.self)
      // The topology may have made this node an owner, and nobody else has been asked.
      if (slot.open === 0 && place >= 0 && slot.route.minters & (1 << place) && !(slot.tried & (1 << place))) {
        this.#mint(slot, place, now)
        return
      }
      this.#passAgain(slot, now)
      return
    }
    this.#table.wakeAt(slot, Math.min(slot.deadlineMs, now.monotonicMs + slot.resendMs))
    slot.failed = 0
    const { members } = slot.route
    for (let i = 0; i < members.length; i++) {
      if (slot.acks & (1 << i) || i === slot.ownPlace) continue
      this.#parts.peers.of(members[i]!)?.silent(now.monotonicMs - slot.startedAtMs)
      this.#send(slot, i, now, true)
      if (!(slot.hinted & (1 << i))) this.#hintFor(slot, i, now)
    }
    this.#check(slot, now)
  }

  #leaveHints(slot: PutSlot, now: Now): void {
    const missing = slot.route.everyone & ~(slot.acks | slot.hinted)
    for (let i = 0; i < slot.route.members.length; i++)
      if (missing & (1 << i) && i !== slot.ownPlace) this.#keepOwnHint(slot, i, now)
  }

  // --- Ends

  #acknowledge(slot: PutSlot, now: Now): void {
    const { id, origin, record, bucket } = slot
    const alone = isAlone(record, slot.write)
    if (origin === 0)
      this.#parts.sink.reply(
        id,
        alone ? writtenAnswer(record) : writtenBesideAnswer(record, bucket, this.#merges, now.wallMs),
      )
    else if (alone) {
      const { version, timestampMs, context } = writtenAnswer(record)
      this.#answerOrigin(slot, replyStatus.ok, version, timestampMs, context)
    } else this.#answerOrigin(slot, replyStatus.ok, 0, 0, noContext, record)
  }

  /** Out of time, or of owners: nobody knows whether it will be found, if it was minted anywhere. */
  #expire(slot: PutSlot, now: Now): void {
    if (slot.phase !== 'forwarding') this.#leaveHints(slot, now)
    const uncertain = slot.phase !== 'forwarding' || slot.open !== 0
    this.#fail(slot, uncertain ? replyStatus.uncertain : slot.refusal)
  }

  #fail(slot: PutSlot, status: ReplyStatus): void {
    const { id, origin, w, partition } = slot
    if (origin === 0) {
      const code = resultCodeOf(status)
      const { n } = slot.route
      this.#parts.sink.reply(id, { status: 'error', code, message: messageOf(status, w, n, partition) })
    } else this.#answerOrigin(slot, status, 0, 0, noContext)
    this.#release(slot)
  }

  #release(slot: PutSlot): void {
    for (let i = 0; slot.sent !== 0; i++, slot.sent >>>= 1)
      if (slot.sent & 1) {
        const peer = this.#parts.peers.of(slot.route.members[i]!)
        // Silent to the end: fades with time, see Peers.
        if (peer !== undefined) peer.silent(this.#parts.config.resendIntervalMs)
      }
    slot.clear()
    this.#table.release(slot)
  }

  #answerOrigin(
    slot: PutSlot,
    status: ReplyStatus,
    version: number,
    timestampMs: number,
    context: Uint8Array,
    record: Uint8Array = noRecord,
  ): void {
    const { originSlot, originGeneration, originAttempt } = slot
    const peer = this.#parts.peers.of(slot.origin)
    if (peer === undefined) return
    const size = fixedBytesMax + context.length + record.length
    const writer = this.#parts.outbox.begin(peer.queue, messageType.forwardReply, size, false)
    if (writer === undefined) return
    writeForwardReply(
      writer,
      originSlot,
      originGeneration,
      originAttempt,
      status,
      version,
      timestampMs,
      context,
      record,
    )
    this.#parts.outbox.end()
  }

  #replyTo(from: MemberNumber, { slot, generation, attempt }: ForwardMessage, status: ReplyStatus): void {
    const peer = this.#parts.peers.of(from)
    if (peer === undefined) return
    const writer = this.#parts.outbox.begin(peer.queue, messageType.forwardReply, fixedBytesMax, false)
    if (writer === undefined) return
    writeForwardReply(writer, slot, generation, attempt, status)
    this.#parts.outbox.end()
  }
}

const noContext = new Uint8Array(0)
const noRecord = noContext

function messageOf(status: ReplyStatus, w: number, n: number, partition: number): string {
  const owners = `${w} of ${n} owners of partition ${partition}`
  switch (status) {
    case replyStatus.uncertain:
      return `not ${owners} acknowledged in time; the write may have happened: retry with the same request id, or read`
    case replyStatus.condition:
      return 'the condition does not hold; nothing was written'
    case replyStatus.badRequest:
      return `a context of another key or cluster, or a record above ${recordBytesMax} bytes; nothing was written`
    case replyStatus.diskFull:
      return `no owner of partition ${partition} has room; nothing was written: free some disk`
    case replyStatus.readOnly:
      return `the owners of partition ${partition} are read-only after a failed sync; nothing was written: restart them`
    case replyStatus.overloaded:
      return 'too many requests in flight; nothing was written: retry later'
    default:
      return `not ${owners} can be reached; nothing was written: retry, or write at a weaker level`
  }
}
