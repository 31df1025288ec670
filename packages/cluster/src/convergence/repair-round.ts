import type { SendCold } from '../node/cold-messages.js'
import type { MemberNumber, NodeId } from '../node/identity.js'
import type { Now } from '../node/now.js'
import { epochStatus } from '../replication/replica.js'
import { type ReplyStatus, replyStatus } from '../replication/reply-status.js'
import type { SharedParts } from '../replication/shared-parts.js'
import { storeErrorCode } from '../store/store-error.js'
import type { AntiEntropy } from './anti-entropy.js'
import type { HintStore } from './hint-store.js'
import type { PartitionTrees } from './partition-trees.js'
import { decodeRoundMessage, encodeRoundMessage, type RoundMessage, repairType } from './repair-format.js'
import type { RepairStamps } from './repair-stamps.js'

/** Rounds that this node leads at the same time. */
const roundsMax = 8
const resendMs = 500
/** A round that cannot fence all members by then is given up: one is away, or its clock is. */
const fencingMs = 10_000
/** The result is sent so often: who misses it hears of the next round's. */
const announcements = 3
/** Rounds come a little more often than owners compare by themselves, which they then need not. */
const roundsPerInterval = 4 / 3

interface Round {
  readonly partition: number
  readonly since: number
  readonly throughMs: number
  phase: 'fencing' | 'pulling' | 'announcing'
  /** Who has not answered yet. */
  waiting: Set<MemberNumber>
  resendAtMs: number
  endsAtMs: number
  announced: number
}

/** What this node does as an owner in somebody's round. */
interface Part {
  readonly throughMs: number
  isPulled: boolean
}

/**
 * Makes sure, and writes down, that all owners of a partition hold everything stamped up to a moment T (docs/cluster/anti-entropy.md):
 *
 * 1. fence: *all members* promise to mint nothing up to T and to let in no late write up to T; they hold no hints for the partition, and
 *    those that are no owners hold nothing of it. What is stamped up to T is then in the owners' stores, or nowhere.
 * 2. pull: each owner pulls from each other owner. What the others had at their fence, it has now.
 * 3. repaired: each owner writes down T, and may forget what was deleted up to then.
 *
 * The first living owner leads. Two leaders do no harm: each round proves what it says by itself. A round is bound to the owners of one epoch;
 * none is held while the partition moves.
 */
export class RepairRound {
  /** Rounds that this node has led to their end. */
  completed = 0
  wakeAtMs = 0
  /** Told when everything up to `repairedMs` of a partition may be collected. */
  onRepaired: (partition: number) => void = () => {}
  readonly #parts: SharedParts
  readonly #trees: PartitionTrees
  readonly #stamps: RepairStamps
  readonly #hints: HintStore
  readonly #pulls: AntiEntropy
  readonly #send: SendCold
  readonly #rounds = new Map<number, Round>()
  readonly #own = new Map<number, Part>()
  /** To this node itself, once the ticket is durable. */
  readonly #toSelf: { ticket: number; type: number; message: RoundMessage }[] = []
  readonly #dueAtMs: Float64Array

  constructor(
    parts: SharedParts,
    trees: PartitionTrees,
    stamps: RepairStamps,
    hints: HintStore,
    pulls: AntiEntropy,
    send: SendCold,
  ) {
    this.#parts = parts
    this.#trees = trees
    this.#stamps = stamps
    this.#hints = hints
    this.#pulls = pulls
    this.#send = send
    this.#dueAtMs = new Float64Array(parts.routes.topology.partitions).fill(Number.NaN)
  }

  onTimer(now: Now): void {
    this.#deliver(now)
    if (now.monotonicMs < this.wakeAtMs) return
    this.#look(now)
    for (const round of [...this.#rounds.values()]) this.#go(round, now)
    this.wakeAtMs = now.monotonicMs + resendMs / 5
    if (this.#interval === Number.POSITIVE_INFINITY && this.#rounds.size === 0) this.wakeAtMs = Number.POSITIVE_INFINITY
  }

  get #interval(): number {
    return this.#parts.config.repairIntervalMs / roundsPerInterval
  }

  // --- Leading

  #look(now: Now): void {
    const { routes, config, random } = this.#parts
    if (this.#interval === Number.POSITIVE_INFINITY) return
    const { topology } = routes
    for (let partition = 0; partition < topology.partitions && this.#rounds.size < roundsMax; partition++) {
      if (Number.isNaN(this.#dueAtMs[partition])) this.#dueAtMs[partition] = now.monotonicMs + random() * this.#interval
      if (now.monotonicMs < this.#dueAtMs[partition]! || !this.#leads(partition)) continue
      this.#dueAtMs[partition] = now.monotonicMs + this.#interval
      const throughMs = Math.max(this.#parts.clock.ms, now.wallMs) - config.tombstoneGraceMs
      if (throughMs > this.#stamps.repairedMs[partition]! && this.#everyoneLives() && !this.#moves(partition))
        this.#begin(partition, throughMs, now)
    }
  }

  #begin(partition: number, throughMs: number, now: Now): void {
    this.#rounds.set(partition, {
      partition,
      since: this.#sinceOf(partition),
      throughMs,
      phase: 'fencing',
      waiting: this.#members(),
      resendAtMs: now.monotonicMs,
      endsAtMs: now.monotonicMs + fencingMs,
      announced: 0,
    })
  }

  #go(round: Round, now: Now): void {
    const { partition } = round
    if (now.monotonicMs >= round.endsAtMs || round.since !== this.#sinceOf(partition)) {
      this.#rounds.delete(partition)
      return
    }
    if (now.monotonicMs < round.resendAtMs) return
    round.resendAtMs = now.monotonicMs + resendMs
    const type = { fencing: repairType.fence, pulling: repairType.pull, announcing: repairType.repaired }[round.phase]
    for (const member of [...round.waiting]) this.#tell(member, type, round, replyStatus.ok, false, now)
    if (round.phase === 'announcing' && ++round.announced >= announcements) this.#rounds.delete(partition)
  }

  #answered(type: number, message: RoundMessage, now: Now): void {
    const round = this.#rounds.get(message.partition)
    const phase = type === repairType.fenced ? 'fencing' : 'pulling'
    if (round === undefined || round.phase !== phase || round.throughMs !== message.throughMs) return
    if (round.since !== message.since || message.status !== replyStatus.ok) return
    round.waiting.delete(message.from)
    if (round.waiting.size > 0) return
    round.waiting = this.#owners(round.partition)
    round.resendAtMs = now.monotonicMs
    round.endsAtMs = Math.max(round.endsAtMs, now.monotonicMs + Math.max(fencingMs, this.#interval))
    if (phase === 'fencing') round.phase = 'pulling'
    else {
      round.phase = 'announcing'
      this.completed++
    }
    this.#go(round, now)
  }

  // --- Taking part

  #fence(message: RoundMessage, now: Now): void {
    this.#tell(message.from, repairType.fenced, message, this.#fenced(message, now), true, now)
  }

  #fenced({ partition, throughMs, since }: RoundMessage, now: Now): ReplyStatus {
    const { clock, store, self } = this.#parts
    const agreed = this.#agrees(partition, since)
    if (agreed !== replyStatus.ok) return agreed
    if (this.#hints.partitions.has(partition) || this.#moves(partition)) return replyStatus.overloaded
    try {
      if (this.#owners(partition).has(self)) {
        const tree = this.#trees.of(partition)
        if (!tree.isReady || this.#hasLeftovers(partition)) return replyStatus.overloaded
      } else if (store.scan(partition, undefined, 1).length > 0) return replyStatus.overloaded
      // A clock that is too far behind to follow cannot promise.
      if (clock.ms <= throughMs && !clock.observe(throughMs + 1, 0, now.wallMs)) return replyStatus.overloaded
      this.#stamps.fence(partition, throughMs)
      return replyStatus.ok
    } catch (error) {
      if (storeErrorCode(error) === undefined) throw error
      return replyStatus.damaged
    }
  }

  /** Keys of buckets that had more replicas once: nobody compares them. */
  #hasLeftovers(partition: number): boolean {
    const { routes, self } = this.#parts
    const tree = this.#trees.of(partition)
    return tree.classes.some((_, n) => tree.holdsAny(n) && !routes.route(partition, n).members.includes(self))
  }

  #pull(message: RoundMessage, now: Now): void {
    const { partition, throughMs } = message
    if (this.#agrees(partition, message.since) !== replyStatus.ok) return
    if (this.#stamps.fencedMs[partition]! < throughMs) return
    const known = this.#own.get(partition)
    if (known !== undefined && known.throughMs >= throughMs) {
      if (known.isPulled && known.throughMs === throughMs)
        this.#tell(message.from, repairType.pulled, message, replyStatus.ok, true, now)
      return
    }
    const part: Part = { throughMs, isPulled: false }
    this.#own.set(partition, part)
    this.#pulls.pull(partition, this.#pulls.othersOf(partition), (isComplete, at) => {
      if (this.#own.get(partition) !== part) return
      if (!isComplete) {
        this.#own.delete(partition)
        return
      }
      part.isPulled = true
      this.#tell(message.from, repairType.pulled, message, replyStatus.ok, true, at)
    })
  }

  #repaired({ partition, throughMs, since }: RoundMessage): void {
    if (this.#agrees(partition, since) !== replyStatus.ok || !this.#owners(partition).has(this.#parts.self)) return
    if (this.#stamps.fencedMs[partition]! < throughMs || this.#stamps.repairedMs[partition]! >= throughMs) return
    try {
      this.#stamps.repaired(partition, throughMs, since)
    } catch (error) {
      if (storeErrorCode(error) === undefined) throw error
      return
    }
    this.onRepaired(partition)
  }

  // --- Messages

  receive(from: NodeId, type: number, body: Uint8Array, now: Now): void {
    const message = decodeRoundMessage(body)
    if (message.to !== this.#parts.self || this.#parts.routes.member(message.from)?.id !== from) return
    this.#take(type, message, now)
  }

  #take(type: number, message: RoundMessage, now: Now): void {
    if (message.partition >= this.#parts.routes.topology.partitions) return
    if (type === repairType.fence) this.#fence(message, now)
    else if (type === repairType.pull) this.#pull(message, now)
    else if (type === repairType.repaired) this.#repaired(message)
    else this.#answered(type, message, now)
  }

  /** `held`: once everything written so far is durable. */
  #tell(
    to: MemberNumber,
    type: number,
    about: { partition: number; since: number; throughMs: number },
    status: ReplyStatus,
    held: boolean,
    now: Now,
  ): void {
    const { self, store, peers } = this.#parts
    const { partition, since, throughMs } = about
    const message: RoundMessage = { from: self, to, partition, since, throughMs, status }
    const id = peers.of(to)?.queue.id
    if (to !== self) {
      if (id !== undefined) this.#send(id, type, encodeRoundMessage(message), held)
      return
    }
    this.#toSelf.push({ ticket: held ? store.ticket : 0, type, message })
    this.#deliver(now)
  }

  #deliver(now: Now): void {
    const { durableTicket } = this.#parts.store
    while (this.#toSelf.length > 0 && this.#toSelf[0]!.ticket <= durableTicket) {
      const { type, message } = this.#toSelf.shift()!
      this.#take(type, message, now)
    }
  }

  // --- The topology

  adopt(): void {
    this.#own.clear()
    this.wakeAtMs = 0
  }

  #leads(partition: number): boolean {
    const { routes, self } = this.#parts
    return routes.topology.claim[partition]!.find((member) => this.#lives(member)) === self
  }

  #everyoneLives(): boolean {
    for (const member of this.#members()) if (!this.#lives(member)) return false
    return true
  }

  #lives(member: MemberNumber): boolean {
    const { peers, self, routes } = this.#parts
    if (member === self) return true
    const peer = peers.of(member)
    if (peer === undefined || peers.verdict(peer) === 'dead') return false
    return routes.memberOf(peer.queue.id)?.number === member
  }

  #members(): Set<MemberNumber> {
    const { members } = this.#parts.routes.topology
    return new Set(members.filter(({ state }) => state !== 'removed').map(({ number }) => number))
  }

  #owners(partition: number): Set<MemberNumber> {
    return new Set(this.#parts.routes.topology.claim[partition])
  }

  #moves(partition: number): boolean {
    return this.#parts.routes.topology.moves.some((move) => move.partition === partition)
  }

  #agrees(partition: number, since: number): ReplyStatus {
    return epochStatus(this.#parts.routes.route(partition, 1), since)
  }

  #sinceOf(partition: number): number {
    return this.#parts.routes.route(partition, 1).since
  }
}
