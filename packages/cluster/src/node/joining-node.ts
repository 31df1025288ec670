import {
  coordinationType,
  decodeJoinRefused,
  encodeJoin,
  type JoinRefusedMessage,
} from '../coordination/coordination-format.js'
import type { Topology } from '../coordination/topology.js'
import { decodeTopology } from '../coordination/topology-format.js'
import type { ReplicaStore } from '../store/replica-store.js'
import { ByteReader } from '../wire/byte-reader.js'
import { type FrameHeader, readFrameHeader } from '../wire/frame-format.js'
import { MalformedFrameError } from '../wire/malformed-frame-error.js'
import type { NodeId } from './identity.js'
import type { StoredIdentity } from './identity-store.js'
import type { NodeSink } from './node-sink.js'
import type { Now } from './now.js'
import { Outbox, PeerQueue } from './outbox.js'

/** A seed that does not answer: another one is asked. */
const askIntervalMs = 1000
/** The cluster said no: an operator may change its mind. */
const refusedIntervalMs = 10_000

export interface JoiningNodeParts {
  readonly identity: StoredIdentity
  readonly labels: { readonly host: string; readonly zone: string; readonly address: string }
  readonly seeds: readonly NodeId[]
  readonly store: ReplicaStore
  readonly sink: NodeSink
  readonly random: () => number
  /** The topology in which this life of this node is a member. */
  readonly joined: (topology: Topology, now: Now) => void
}

/** A node that is no member yet: asks one seed after the other to be let in, and hears nothing else. */
export class JoiningNode {
  wakeAtMs = 0
  readonly #parts: JoiningNodeParts
  readonly #outbox: Outbox
  readonly #header: FrameHeader
  readonly #queues = new Map<NodeId, PeerQueue>()
  readonly #reader = new ByteReader()
  /** The newest incarnation of this node that it has been told of: its own comes after that one. */
  #after = 0

  constructor(parts: JoiningNodeParts) {
    this.#parts = parts
    const { clusterId } = parts.identity
    this.#header = {
      clusterLow: Number.parseInt(clusterId.slice(8), 16),
      clusterHigh: Number.parseInt(clusterId.slice(0, 8), 16),
      member: 0,
      incarnation: 0,
      run: Math.floor(parts.random() * 2 ** 32),
      number: 0,
      epoch: 0,
    }
    this.#outbox = new Outbox(this.#header, 1 << 20)
  }

  receive(from: NodeId, frame: Uint8Array, now: Now): void {
    try {
      this.#take(from, frame, now)
    } catch (error) {
      if (!(error instanceof MalformedFrameError)) throw error
      this.#parts.sink.event('frame-refused', { from, reason: error.message })
    }
  }

  tick(now: Now): void {
    const { store, sink } = this.#parts
    if (now.monotonicMs >= this.wakeAtMs) this.#ask(now)
    store.sync()
    this.#outbox.mark(store.ticket)
    this.#outbox.flush(store.durableTicket, sink)
  }

  #ask(now: Now): void {
    const { identity, labels, seeds, random } = this.#parts
    this.wakeAtMs = now.monotonicMs + askIntervalMs * (0.5 + random())
    const seed = seeds[Math.floor(random() * seeds.length)]
    if (seed === undefined) return
    const queue = this.#queues.get(seed) ?? new PeerQueue(seed)
    this.#queues.set(seed, queue)
    const body = encodeJoin({ life: identity.life, after: this.#after, ...labels })
    // Held: the life must be on disk before anybody hears of it.
    this.#outbox.begin(queue, coordinationType.join, body.length, true)?.bytes(body)
    this.#outbox.end()
  }

  #take(from: NodeId, frame: Uint8Array, now: Now): void {
    const reader = this.#reader
    const header = { ...this.#header }
    readFrameHeader(frame, reader, header)
    if (header.clusterLow !== this.#header.clusterLow || header.clusterHigh !== this.#header.clusterHigh)
      throw new MalformedFrameError(8, 'a frame of another cluster')
    while (reader.remaining > 0) {
      const type = reader.u8()
      const body = reader.longBytes()
      if (type === coordinationType.topology) this.#hear(decodeTopology(body), now)
      else if (type === coordinationType.joinRefused) {
        this.#refused(from, decodeJoinRefused(body), now)
      }
    }
  }

  #refused(from: NodeId, refusal: JoinRefusedMessage, now: Now): void {
    const { code, incarnation } = refusal
    if (code !== 'CASKADE_OTHER_LIFE') {
      this.#parts.sink.event('join-refused', { from, ...refusal })
      this.wakeAtMs = now.monotonicMs + refusedIntervalMs
    } else if (incarnation !== this.#after) {
      this.#after = incarnation
      this.wakeAtMs = now.monotonicMs
    }
  }

  #hear(topology: Topology, now: Now): void {
    const { id, life } = this.#parts.identity
    if (topology.members.some((each) => each.id === id && each.life === life)) this.#parts.joined(topology, now)
  }
}
