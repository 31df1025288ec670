import type { AntiEntropy, PullDone } from '../convergence/anti-entropy.js'
import type { PullFrom } from '../convergence/pull-pass.js'
import type { Move } from '../coordination/topology.js'
import type { TopologyChange } from '../coordination/topology-change.js'
import type { ChangeResult } from '../coordination/topology-change-request.js'
import type { ColdReceiver, SendCold } from '../node/cold-messages.js'
import type { MemberNumber, NodeId } from '../node/identity.js'
import type { Now } from '../node/now.js'
import type { SharedParts } from '../replication/shared-parts.js'
import { decodeReady, encodeReady, moveType, type ReadyMove } from './move-format.js'
import { driverOf, goneOf, isUnsettled, nextMoveStep } from './move-policy.js'

/** How often readiness is told, and the next step looked for. */
const lookEveryMs = 200
/** A step that was proposed, and did not come, is proposed again. */
const proposalMs = 5000
/** From the end of a proposal to the next one: the register is left to others meanwhile. Half of it is drawn, so that two who propose do not stay in step. */
const pauseMaxMs = 600

/** Asks the cluster for a change; what comes of it is seen in the topology. */
export type Propose = (
  change: TopologyChange,
  deadlineMs: number,
  ended: (result: ChangeResult, now: Now) => void,
  now: Now,
) => void

/** What this node has done for the present step of a move: done once this ticket is durable. */
interface Progress {
  readonly since: number
  ticket: number
}

/** What an old owner has said in one step of a move. */
interface Unreadable {
  readonly since: number
  readonly members: Set<MemberNumber>
}

/**
 * This node's part in moves (docs/cluster/rebalancing.md): as a new owner it pulls everything from the old ones, as any owner it says when it is ready for the
 * next step, as the driver it proposes steps once all are. What has been done is in the topology; the rest is found out anew after a crash of whomever.
 */
export class Rebalance implements ColdReceiver {
  wakeAtMs = 0
  /** Absent: this node proposes nothing. */
  propose: Propose | undefined
  readonly #parts: SharedParts
  readonly #pulls: AntiEntropy
  readonly #send: SendCold
  readonly #progress = new Map<number, Progress>()
  /** What members have told the driver. */
  readonly #told = new Map<number, { since: number; members: Set<MemberNumber> }>()
  /** Old owners that cannot read what they have, and have got from the others what can be had. */
  readonly #unreadable = new Map<number, Unreadable>()
  /** Something moves, or is to. */
  #isUnsettled: boolean
  #proposing = false
  #proposesAtMs = 0

  constructor(parts: SharedParts, pulls: AntiEntropy, send: SendCold) {
    this.#parts = parts
    this.#pulls = pulls
    this.#send = send
    this.#isUnsettled = isUnsettled(this.#topology)
  }

  /** Owners that nobody waits for: they are to leave, and are held for dead. */
  gone(): Set<MemberNumber> {
    return goneOf(this.#topology, this.#lives)
  }

  adopt(): void {
    const moving = new Set(this.#topology.moves.map(({ partition }) => partition))
    for (const map of [this.#progress, this.#told, this.#unreadable])
      for (const partition of map.keys()) if (!moving.has(partition)) map.delete(partition)
    this.#isUnsettled = isUnsettled(this.#topology)
    this.wakeAtMs = 0
  }

  onTimer(now: Now): void {
    if (now.monotonicMs < this.wakeAtMs) return
    const { self } = this.#parts
    const driver = driverOf(this.#topology, this.#lives)
    const ready: ReadyMove[] = []
    for (const move of this.#topology.moves) {
      const { since } = this.#parts.routes.route(move.partition, 1)
      if (this.#work(move, since)) ready.push({ partition: move.partition, since })
    }
    if (driver === self) {
      this.#note(self, ready)
      this.#drive(now)
    } else if (driver !== undefined && ready.length > 0) this.#tell(driver, ready)
    // Whoever drives may die: the next one must notice.
    this.wakeAtMs = this.#isUnsettled ? now.monotonicMs + lookEveryMs : Number.POSITIVE_INFINITY
  }

  receive(from: NodeId, type: number, body: Uint8Array, _now: Now): void {
    if (type !== moveType.ready) return
    const message = decodeReady(body)
    const { self, routes } = this.#parts
    if (message.to === self && routes.member(message.from)?.id === from) this.#note(message.from, message.moves)
  }

  get #topology() {
    return this.#parts.routes.topology
  }

  /** Whether this node is ready for the next step of the move. */
  #work(move: Move, since: number): boolean {
    const { self, store } = this.#parts
    const { partition, to, phase } = move
    const progress = this.#progress.get(partition)
    if (progress?.since === since) return progress.ticket <= store.durableTicket
    if (phase === 'readNew') {
      // To have taken note is all there is to do: the topology is among what has been written.
      this.#progress.set(partition, { since, ticket: store.ticket })
      return store.ticket <= store.durableTicket
    }
    if (!to.includes(self)) return false
    const from = this.#sourcesOf(move, since)
    if (from === undefined) return false
    const begun: Progress = { since, ticket: Number.POSITIVE_INFINITY }
    this.#progress.set(partition, begun)
    const done: PullDone = (isComplete, _at, unreadable) => {
      if (this.#progress.get(partition) !== begun) return
      if (unreadable !== undefined) this.#noteUnreadable(partition, since, unreadable)
      // Who could not pull all of it tries again.
      if (isComplete) begun.ticket = store.ticket
      else this.#progress.delete(partition)
    }
    this.#pulls.pull(partition, from, done, { isUrgent: true })
    return false
  }

  #noteUnreadable(partition: number, since: number, member: MemberNumber): void {
    const known = this.#unreadable.get(partition)
    if (known?.since === since) known.members.add(member)
    else this.#unreadable.set(partition, { since, members: new Set([member]) })
    this.#parts.sink.event('source-unreadable', { partition, member })
  }

  /**
   * All old owners, so that not even a write that only one of them acknowledged stays behind. One that is to leave and is held for dead, or that cannot read
   * what it has, is done without, as long as the others must have met every write of a quorum.
   */
  #sourcesOf({ partition, to }: Move, since: number): PullFrom[] | undefined {
    const { routes, self } = this.#parts
    const gone = goneOf(this.#topology, this.#lives)
    const unreadable = this.#unreadable.get(partition)
    if (unreadable?.since === since) for (const member of unreadable.members) gone.add(member)
    const from: PullFrom[] = []
    for (const { n, w, held = w } of routes.topology.buckets) {
      const old = routes.topology.claim[partition]!.slice(0, n)
      const asked = old.filter((member) => !gone.has(member))
      const missing = old.length - asked.length
      // A write of one may go with its owner; nothing else may.
      if (asked.length === 0 || (held > 1 && missing >= held)) return undefined
      if (!to.slice(0, n).includes(self)) continue
      for (const member of asked)
        if (member !== self && !from.some((each) => each.n === n && each.member === member))
          from.push({ partition, n, member })
    }
    return from
  }

  readonly #lives = (member: MemberNumber): boolean => {
    const { peers, self, routes } = this.#parts
    if (member === self) return true
    const peer = peers.of(member)
    if (peer === undefined || peers.verdict(peer) === 'dead') return false
    return routes.memberOf(peer.queue.id)?.number === member
  }

  #tell(driver: MemberNumber, moves: readonly ReadyMove[]): void {
    const { self, peers } = this.#parts
    const id = peers.of(driver)?.queue.id
    if (id !== undefined) this.#send(id, moveType.ready, encodeReady({ from: self, to: driver, moves }), false)
  }

  #note(member: MemberNumber, moves: readonly ReadyMove[]): void {
    for (const { partition, since } of moves) {
      const told = this.#told.get(partition)
      if (told === undefined || told.since < since) this.#told.set(partition, { since, members: new Set([member]) })
      else if (told.since === since) told.members.add(member)
    }
  }

  #drive(now: Now): void {
    if (this.propose === undefined || this.#proposing || !this.#parts.config.drivesMoves) return
    if (now.monotonicMs < this.#proposesAtMs) return
    const topology = this.#topology
    const change = nextMoveStep(topology, {
      lives: this.#lives,
      ready: (partition) => {
        const told = this.#told.get(partition)
        return told?.since === this.#parts.routes.route(partition, 1).since ? told.members : new Set()
      },
    })
    if (change === undefined) return
    this.#proposing = true
    this.propose(
      change,
      now.monotonicMs + proposalMs,
      (_result, at) => {
        this.#proposing = false
        this.#proposesAtMs = at.monotonicMs + (pauseMaxMs / 2) * (1 + this.#parts.random())
      },
      now,
    )
  }
}
