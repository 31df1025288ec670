import type { NodeId } from '../node/identity.js'
import type { Liveness, Verdict } from '../node/liveness.js'
import type { Now } from '../node/now.js'
import { LocalHealth } from './local-health.js'
import { type MembershipConfig, nodesMax } from './membership-config.js'
import { decodeMembership, encodeMembership, membershipType } from './membership-format.js'
import { ProbeOrder, sample } from './probe-order.js'
import { Prober } from './prober.js'
import { compareAssertions, isLaterProcess, nobody, type Rumour, supersedes } from './rumour.js'
import { RumourQueue, transmitLimit } from './rumour-queue.js'
import { Suspicion } from './suspicion.js'
import { suspicionBounds } from './suspicion-timeout.js'

/** Who this node is in this process. */
export interface MembershipSelf {
  readonly id: NodeId
  readonly incarnation: number
  /** Counts the starts of the process; durable before the first message leaves. */
  readonly boot: number
  readonly run: number
  readonly address: string
}

export interface MembershipSink {
  /** A message may get lost. */
  send(to: NodeId, type: number, body: Uint8Array): void
  changed(node: NodeId, verdict: Verdict): void
  /** There is a later process of this life of this node: the disk here is an old copy, or another process uses the identity. Once. */
  supplanted(): void
}

export interface MembershipOptions {
  readonly self: MembershipSelf
  readonly config: MembershipConfig
  /** In [0, 1). */
  readonly random: () => number
  readonly sink: MembershipSink
}

/** What is known of another node. */
interface Known {
  rumour: Rumour
  suspicion: Suspicion | undefined
  /** Of the verdict. */
  sinceMs: number
  /** The topology has it: it is not forgotten, however long it is dead. */
  isMember: boolean
}

/** Of a timer that is later than this part of the probe timeout, all waiting is prolonged. */
const lateShare = 0.25
/** Sequence of a ping that nobody waits for. */
const noProbe = 0
/** A node that has just started asks so many others for all they know, until one answers. */
const introductions = 3

/**
 * Who is alive, as far as this node can tell: SWIM (Das, Gupta, Motivala 2002) with the extensions of Lifeguard (2017). Its verdicts say whom
 * it is worth asking; they never change who owns data.
 */
export class Membership implements Liveness {
  readonly health: LocalHealth
  readonly #config: MembershipConfig
  readonly #random: () => number
  readonly #sink: MembershipSink
  readonly #nodes = new Map<NodeId, Known>()
  readonly #suspects = new Map<NodeId, Suspicion>()
  readonly #queue = new RumourQueue()
  readonly #order: ProbeOrder
  readonly #prober: Prober
  #self: Rumour
  #isIntroduced = false
  #isSupplanted = false
  #gossipAtMs: number
  #pushPullAtMs: number
  #reconnectAtMs: number
  #wakeAtMs: number

  constructor({ self, config, random, sink }: MembershipOptions, now: Now) {
    this.#config = config
    this.#random = random
    this.#sink = sink
    this.#self = { ...self, refutation: 0, verdict: 'alive', accuser: nobody }
    this.health = new LocalHealth(config.healthMax, config.probeTimeoutMs)
    this.#order = new ProbeOrder(random)
    const { monotonicMs } = now
    this.#gossipAtMs = monotonicMs
    this.#pushPullAtMs = monotonicMs
    this.#reconnectAtMs = monotonicMs + random() * config.reconnectIntervalMs
    this.#prober = new Prober(config, this.health, monotonicMs + random() * config.probeIntervalMs, {
      ping: (target, sequence) => this.#ping(target, sequence),
      pingRequest: (helper, target, sequence) => this.#send(helper, membershipType.pingRequest, sequence, target),
      ack: (to, sequence) => this.#send(to, membershipType.ack, sequence),
      nack: (to, sequence) => this.#send(to, membershipType.nack, sequence),
      next: () => this.#order.next((id) => isThere(this.#nodes.get(id)!.rumour.verdict)),
      helpers: (target) => this.#some(config.indirectProbes, ({ id, verdict }) => id !== target && verdict === 'alive'),
      failed: (target, nowMs) => this.#suspect(target, nowMs),
    })
    this.#wakeAtMs = monotonicMs
  }

  get wakeAtMs(): number {
    return this.#wakeAtMs
  }

  of(id: NodeId): Verdict {
    return this.#nodes.get(id)?.rumour.verdict ?? 'alive'
  }

  /** Where it said that it is; `undefined`: unknown. */
  addressOf(id: NodeId): string | undefined {
    return this.#nodes.get(id)?.rumour.address
  }

  /** All that are known, this node included, in the order of their ids. */
  rumours(): Rumour[] {
    return [this.#self, ...Array.from(this.#nodes.values(), ({ rumour }) => rumour)].sort((a, b) =>
      a.id < b.id ? -1 : 1,
    )
  }

  /** The members that the topology names, and nobody else, are kept for good. Those not heard of are alive until probed. */
  follow(
    members: readonly { readonly id: NodeId; readonly incarnation: number; readonly address: string }[],
    now: Now,
  ): void {
    const ids = new Set(members.map(({ id }) => id))
    for (const [id, known] of this.#nodes) known.isMember = ids.has(id)
    for (const { id, incarnation, address } of members) {
      if (id === this.#self.id) continue
      const known = this.#nodes.get(id)
      const rumour: Rumour = {
        id,
        incarnation,
        boot: 0,
        run: 0,
        refutation: 0,
        verdict: 'alive',
        address,
        accuser: nobody,
      }
      if (known === undefined) this.#learn(rumour, now)
      else if (known.rumour.incarnation < incarnation) this.#change(known, rumour, now)
      const kept = this.#nodes.get(id)
      if (kept !== undefined) kept.isMember = true
    }
    this.#wakeAtMs = Math.min(this.#wakeAtMs, now.monotonicMs)
  }

  receive(from: NodeId, type: number, body: Uint8Array, now: Now): void {
    const { sequence, target, rumours } = decodeMembership(body)
    // What was known before: a node whose disk is an old copy must hear of its later process, not of itself.
    if (type === membershipType.pushPull) this.#sendAll(from, membershipType.pushPullReply)
    for (const rumour of rumours) this.#hear(rumour, now)
    switch (type) {
      case membershipType.ping:
        this.#send(from, membershipType.ack, sequence)
        break
      case membershipType.pingRequest:
        this.#prober.onPingRequest(from, target, sequence, now.monotonicMs)
        break
      case membershipType.ack:
        this.#prober.onAck(sequence)
        break
      case membershipType.nack:
        this.#prober.onNack(sequence)
        break
      case membershipType.pushPullReply:
        if (!this.#isIntroduced) this.#queue.add(this.#self)
        this.#isIntroduced = true
    }
    this.#arm(now)
  }

  onTimer(now: Now): void {
    const { monotonicMs } = now
    if (monotonicMs < this.#wakeAtMs) return
    this.#notice(monotonicMs - this.#wakeAtMs)
    this.#prober.onTimer(monotonicMs)
    for (const [id, suspicion] of this.#suspects) {
      if (suspicion.endsAtMs <= monotonicMs) this.#bury(id, now)
      else if (suspicion.callAtMs <= monotonicMs) {
        suspicion.called(monotonicMs)
        this.#ping(id, noProbe)
      }
    }
    if (this.#gossipAtMs <= monotonicMs) this.#gossip(monotonicMs)
    if (this.#pushPullAtMs <= monotonicMs) this.#exchange(monotonicMs)
    if (this.#reconnectAtMs <= monotonicMs) this.#reconnect(monotonicMs)
    this.#arm(now)
  }

  /** What the runtime measures, about once a second. */
  onLoopDelay(ms: number): void {
    this.health.loopDelay(ms)
  }

  /** Says goodbye: others need not find out. What is left to say is said in the next turns. */
  leave(now: Now): void {
    this.#self = { ...this.#self, verdict: 'left' }
    this.#queue.add(this.#self)
    this.#gossip(now.monotonicMs)
    this.#arm(now)
  }

  #hear(rumour: Rumour, now: Now): void {
    if (rumour.id === this.#self.id) {
      this.#hearOfSelf(rumour)
      return
    }
    const known = this.#nodes.get(rumour.id)
    if (known === undefined) {
      if (this.#learn(rumour, now)) this.#queue.add(rumour)
    } else if (supersedes(rumour, known.rumour)) {
      this.#change(known, rumour, now)
      this.#queue.add(rumour)
    } else if (rumour.verdict === 'suspect' && compareAssertions(rumour, known.rumour) === 0)
      if (known.suspicion?.confirm(rumour.accuser)) this.#queue.add(rumour)
  }

  #hearOfSelf(rumour: Rumour): void {
    if (isLaterProcess(rumour, this.#self)) {
      if (!this.#isSupplanted) this.#sink.supplanted()
      this.#isSupplanted = true
    }
    if (rumour.verdict === 'alive' || this.#self.verdict === 'left' || this.#isSupplanted) return
    if (compareAssertions(rumour, this.#self) >= 0) {
      this.#self = { ...this.#self, refutation: rumour.refutation + 1 }
      this.health.worse()
    }
    // Also of what was refuted before: the accuser was cut off then, and nobody else would tell him again.
    this.#queue.add(this.#self)
  }

  /** False: there is no room. */
  #learn(rumour: Rumour, now: Now): boolean {
    if (this.#nodes.size >= nodesMax) return false
    const known: Known = { rumour, suspicion: undefined, sinceMs: now.monotonicMs, isMember: false }
    this.#nodes.set(rumour.id, known)
    this.#order.add(rumour.id)
    this.#judged(known, rumour, now)
    if (rumour.verdict !== 'alive') this.#sink.changed(rumour.id, rumour.verdict)
    return true
  }

  #change(known: Known, rumour: Rumour, now: Now): void {
    const before = known.rumour.verdict
    known.rumour = rumour
    known.sinceMs = now.monotonicMs
    this.#judged(known, rumour, now)
    if (rumour.verdict !== before) this.#sink.changed(rumour.id, rumour.verdict)
  }

  #judged(known: Known, rumour: Rumour, now: Now): void {
    if (rumour.verdict === 'suspect') {
      const bounds = suspicionBounds(this.#size, this.#config)
      known.suspicion = new Suspicion(bounds, rumour.accuser, now.monotonicMs)
      this.#suspects.set(rumour.id, known.suspicion)
    } else {
      known.suspicion = undefined
      this.#suspects.delete(rumour.id)
    }
  }

  #suspect(id: NodeId, nowMs: number): void {
    const known = this.#nodes.get(id)
    if (known === undefined || !isThere(known.rumour.verdict)) return
    this.#hear({ ...known.rumour, verdict: 'suspect', accuser: this.#self.id }, { monotonicMs: nowMs, wallMs: 0 })
  }

  #bury(id: NodeId, now: Now): void {
    this.#hear({ ...this.#nodes.get(id)!.rumour, verdict: 'dead', accuser: nobody }, now)
  }

  /** A timer this late: the process was paused, or has too much to do. What others sent meanwhile may still be unread. */
  #notice(lateMs: number): void {
    if (lateMs < lateShare * this.#config.probeTimeoutMs) return
    this.#prober.extend(lateMs)
    for (const suspicion of this.#suspects.values()) suspicion.extend(lateMs)
    this.health.worse()
  }

  /** A suspect is told so along with the ping, that it may refute at once (Lifeguard's buddy system, section IV-C). */
  #ping(target: NodeId, sequence: number): void {
    const known = this.#nodes.get(target)
    const buddy = known?.rumour.verdict === 'suspect' ? [known.rumour] : []
    this.#send(target, membershipType.ping, sequence, nobody, buddy)
  }

  #gossip(nowMs: number): void {
    this.#gossipAtMs = nowMs + this.#config.gossipIntervalMs
    for (const id of this.#some(this.#config.gossipNodes, ({ verdict }) => isThere(verdict))) {
      if (this.#queue.isEmpty) return
      this.#send(id, membershipType.gossip, 0)
    }
  }

  #exchange(nowMs: number): void {
    const { pushPullIntervalMs, probeIntervalMs, deadMemoryMs } = this.#config
    const interval = this.#isIntroduced ? pushPullIntervalMs : probeIntervalMs
    this.#pushPullAtMs = nowMs + interval * (0.5 + this.#random())
    const count = this.#isIntroduced ? 1 : introductions
    for (const id of this.#some(count, ({ verdict }) => isThere(verdict))) this.#sendAll(id, membershipType.pushPull)
    for (const [id, { rumour, isMember, sinceMs }] of this.#nodes)
      if (!isMember && !isThere(rumour.verdict) && sinceMs + deadMemoryMs <= nowMs) this.#forget(id)
  }

  #reconnect(nowMs: number): void {
    this.#reconnectAtMs = nowMs + this.#config.reconnectIntervalMs * (0.5 + this.#random())
    for (const id of this.#some(1, ({ verdict }) => verdict === 'dead')) this.#sendAll(id, membershipType.pushPull)
  }

  #forget(id: NodeId): void {
    this.#nodes.delete(id)
    this.#suspects.delete(id)
    this.#order.remove(id)
    this.#queue.forget(id)
  }

  #some(count: number, isWanted: (rumour: Rumour) => boolean): NodeId[] {
    const ids: NodeId[] = []
    for (const [id, { rumour }] of this.#nodes) if (isWanted(rumour)) ids.push(id)
    return sample(ids, count, this.#random)
  }

  #send(to: NodeId, type: number, sequence: number, target = nobody, first: readonly Rumour[] = []): void {
    const { piggybackBytesMax, retransmitMult } = this.#config
    const rumours = [...first, ...this.#queue.take(piggybackBytesMax, transmitLimit(this.#size, retransmitMult))]
    this.#sink.send(to, type, encodeMembership({ sequence, target, rumours }))
  }

  #sendAll(to: NodeId, type: number): void {
    this.#sink.send(to, type, encodeMembership({ sequence: 0, target: nobody, rumours: this.rumours() }))
  }

  /** Nodes that are there, this one included. */
  get #size(): number {
    let size = 1
    for (const { rumour } of this.#nodes.values()) if (isThere(rumour.verdict)) size++
    return size
  }

  #arm(now: Now): void {
    let wakeAtMs = Math.min(this.#prober.wakeAtMs, this.#pushPullAtMs, this.#reconnectAtMs)
    if (!this.#queue.isEmpty) wakeAtMs = Math.min(wakeAtMs, this.#gossipAtMs)
    for (const { endsAtMs, callAtMs } of this.#suspects.values()) wakeAtMs = Math.min(wakeAtMs, endsAtMs, callAtMs)
    this.#wakeAtMs = Math.max(wakeAtMs, now.monotonicMs)
  }
}

/** Worth a probe and a rumour. */
const isThere = (verdict: Verdict) => verdict === 'alive' || verdict === 'suspect'
