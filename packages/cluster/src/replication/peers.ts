import type { MemberNumber, NodeId } from '../node/identity.js'
import type { Liveness, Verdict } from '../node/liveness.js'
import { PeerQueue } from '../node/outbox.js'
import type { RoutingTable } from './route.js'

/** Beyond this many writes without an answer a replica gets no more, and hints instead. */
const unansweredMax = 4096

/** What this node knows of one other member: how fast it answers, and its queue. */
export class Peer {
  readonly member: MemberNumber
  readonly queue: PeerQueue
  /** Smoothed milliseconds to an answer; silence counts, once noticed. */
  scoreMs = 0
  /** Replicated writes without an answer. */
  unanswered = 0

  constructor(member: MemberNumber, queue: PeerQueue) {
    this.member = member
    this.queue = queue
  }

  answered(ms: number): void {
    this.scoreMs += (ms - this.scoreMs) / 16
  }

  /** It has not answered for that long: as if it were to take four times as long. */
  silent(ms: number): void {
    const guess = 4 * ms
    if (guess > this.scoreMs) this.scoreMs += (guess - this.scoreMs) / 4
  }

  /** Shed: it has more to do than it can. */
  get shed(): boolean {
    return this.unanswered >= unansweredMax
  }
}

/** The other members, by number. Queues belong to node ids: they outlive a member's number. */
export class Peers {
  /** By member number: those are small, and given one after the other. */
  readonly #peers: (Peer | undefined)[] = []
  readonly #queues = new Map<NodeId, PeerQueue>()
  readonly #liveness: Liveness
  #decayAtMs = 0
  /** Frames to a node that was forgotten had numbers up to this: a node that returns takes no number twice. */
  #numbered = 0

  constructor(liveness: Liveness) {
    this.#liveness = liveness
  }

  /** Forgets whom the topology has removed. */
  adopt(routes: RoutingTable): void {
    for (const { number, id, state } of routes.topology.members)
      if (state === 'removed') this.#peers[number] = undefined
      else this.#peers[number] ??= new Peer(number, this.queueOf(id))
    for (const [id, queue] of this.#queues)
      if (routes.memberOf(id) === undefined) {
        this.#queues.delete(id)
        this.#numbered = Math.max(this.#numbered, queue.number)
      }
  }

  of(member: MemberNumber): Peer | undefined {
    return this.#peers[member]
  }

  /** For messages to a node that may be no member yet. */
  queueOf(id: NodeId): PeerQueue {
    let queue = this.#queues.get(id)
    if (queue === undefined) {
      queue = new PeerQueue(id)
      queue.number = this.#numbered
      this.#queues.set(id, queue)
    }
    return queue
  }

  verdict(peer: Peer): Verdict {
    return this.#liveness.of(peer.queue.id)
  }

  /** Lower is better to ask: the living by speed, then suspects, then those held for dead, which may be an error. */
  rank(peer: Peer): number {
    const verdict = this.verdict(peer)
    const penalty = verdict === 'alive' ? 0 : verdict === 'suspect' ? 1e6 : 1e9
    return penalty + (peer.shed ? 1e5 : 0) + peer.scoreMs
  }

  /** Once a second, bad marks fade, so that a peer that was slow or cut off is tried again. */
  fade(nowMs: number): void {
    if (nowMs < this.#decayAtMs) return
    this.#decayAtMs = nowMs + 1000
    for (const peer of this.#peers) {
      if (peer === undefined) continue
      peer.scoreMs *= 0.75
      peer.unanswered >>>= 1
    }
  }
}
