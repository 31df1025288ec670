import type { ColdReceiver, SendCold } from '../node/cold-messages.js'
import type { NodeId, NodeIdentity } from '../node/identity.js'
import type { NodeSink } from '../node/node-sink.js'
import type { Now } from '../node/now.js'
import type { ReplicaStore } from '../store/replica-store.js'
import { storeErrorCode } from '../store/store-error.js'
import { coordinationType, decodeFetch, encodeFetch } from './coordination-format.js'
import type { Topology } from './topology.js'
import { decodeTopology, encodeTopology } from './topology-format.js'

const metaName = 'topology'
/** A peer that does not answer is asked again after this, when it is heard from. */
const fetchAgainMs = 250
/** Peers told at once of a new epoch: each tells as many again. */
const helloFanout = 4

/** The newest topology on this node's disk. @throws CASKADE_CORRUPTION, CASKADE_IO, MalformedFrameError */
export function storedTopology(store: ReplicaStore): Topology | undefined {
  const bytes = store.getMeta(metaName)
  return bytes === undefined ? undefined : decodeTopology(bytes)
}

export function storeTopology(store: ReplicaStore, topology: Topology): void {
  store.putMeta(metaName, encodeTopology(topology))
}

/**
 * How a chosen topology reaches everybody. Each frame carries its sender's epoch; who sees a higher one fetches the topology from there. Who
 * has a new one says hello to a few others, so that an idle cluster hears of it in O(log n) hops, and not with the next probe.
 */
export class TopologySpread implements ColdReceiver {
  readonly #self: NodeId
  readonly #store: ReplicaStore
  readonly #send: SendCold
  readonly #sink: NodeSink
  readonly #random: () => number
  readonly #adopt: (topology: Topology, now: Now) => void
  #topology: Topology
  #bytes: Uint8Array
  #fetchedAtMs = Number.NEGATIVE_INFINITY
  #fetchingEpoch = 0

  /** `adopt` is told of each newer one, in order. */
  constructor(
    topology: Topology,
    parts: { identity: NodeIdentity; store: ReplicaStore; send: SendCold; sink: NodeSink; random: () => number },
    adopt: (topology: Topology, now: Now) => void,
  ) {
    this.#topology = topology
    this.#bytes = encodeTopology(topology)
    this.#self = parts.identity.id
    this.#store = parts.store
    this.#send = parts.send
    this.#sink = parts.sink
    this.#random = parts.random
    this.#adopt = adopt
  }

  get topology(): Topology {
    return this.#topology
  }

  /** A frame of a node that is ahead. */
  onNewerEpoch(from: NodeId, epoch: number, now: Now): void {
    if (epoch <= this.#topology.epoch) return
    if (epoch <= this.#fetchingEpoch && now.monotonicMs < this.#fetchedAtMs + fetchAgainMs) return
    this.#fetchedAtMs = now.monotonicMs
    this.#fetchingEpoch = epoch
    this.#send(from, coordinationType.fetch, encodeFetch(this.#topology.epoch), false)
  }

  receive(from: NodeId, type: number, body: Uint8Array, now: Now): void {
    if (type === coordinationType.fetch) {
      if (decodeFetch(body) < this.#topology.epoch) this.sendTo(from)
    } else if (type === coordinationType.topology) this.learn(decodeTopology(body), now)
  }

  sendTo(node: NodeId): void {
    this.#send(node, coordinationType.topology, this.#bytes, false)
  }

  /** Only chosen topologies come here. Older ones are ignored. */
  learn(topology: Topology, now: Now): void {
    if (topology.epoch <= this.#topology.epoch) return
    this.#topology = topology
    this.#bytes = encodeTopology(topology)
    this.#keep()
    this.#adopt(topology, now)
    const others = topology.members.filter(({ id, state }) => state !== 'removed' && id !== this.#self)
    for (let i = 0; i < helloFanout && others.length > 0; i++) {
      const [other] = others.splice(Math.floor(this.#random() * others.length), 1)
      this.#send(other!.id, coordinationType.hello, new Uint8Array(0), false)
    }
  }

  /** A full disk does not stop it: the topology is fetched again after a restart. */
  #keep(): void {
    try {
      this.#store.putMeta(metaName, this.#bytes)
    } catch (error) {
      const code = storeErrorCode(error)
      if (code === undefined) throw error
      this.#sink.event('topology-not-stored', { code, epoch: this.#topology.epoch })
    }
  }
}
