import { createTopology } from '../coordination/create-topology.js'
import type { Topology } from '../coordination/topology.js'
import type { TopologyChange } from '../coordination/topology-change.js'
import type { ChangeResult } from '../coordination/topology-change-request.js'
import { CoordinatedNode, defaultCoordinatedNodeConfig } from '../node/coordinated-node.js'
import type { NodeId } from '../node/identity.js'
import type { Result } from '../node/result.js'
import { ModelReplicaStore } from '../store/model-replica-store.js'
import { idOf } from './small-cluster.js'

const clusterId = '00c1a57e00000001'

interface Machine {
  node: CoordinatedNode | undefined
  store: ModelReplicaStore
}

/** Nodes with everything, 1 and on, over a network that loses nothing unless `link` says so; frames take 1 ms. */
export class CoordinatedCluster {
  nowMs = 1000
  readonly events: string[] = []
  readonly results = new Map<number, Result>()
  readonly changes = new Map<number, ChangeResult>()
  readonly first: Topology
  link: (from: number, to: number) => boolean = () => true
  readonly #machines: Machine[] = []
  #wire: { from: number; to: number; frame: Uint8Array; atMs: number }[] = []
  #ids = 0
  #seed = 1

  /** The first `nodes` create the cluster. */
  constructor(nodes: number) {
    this.first = createTopology({
      nodes: Array.from({ length: nodes }, (_, i) => ({ id: idOf(i + 1), ...labels(i + 1) })),
      partitions: 4,
    })
    for (let number = 1; number <= nodes; number++) this.start(number, { create: this.first })
  }

  node(number: number): CoordinatedNode {
    return this.#machines[number]!.node!
  }

  store(number: number): ModelReplicaStore {
    return this.#machines[number]!.store
  }

  /** A process on the disk of that machine, or on another one. */
  start(number: number, options: { create?: Topology; store?: ModelReplicaStore; address?: string } = {}): void {
    const store = options.store ?? this.#machines[number]?.store ?? new ModelReplicaStore()
    const machine: Machine = { store, node: undefined }
    this.#machines[number] = machine
    machine.node = new CoordinatedNode({
      clusterId,
      id: idOf(number),
      ...labels(number),
      ...(options.address === undefined ? {} : { address: options.address }),
      config: defaultCoordinatedNodeConfig,
      random: () => this.#random(),
      store,
      seeds: this.first.members.map(({ id }) => id),
      ...(options.create === undefined ? {} : { create: options.create }),
      sink: {
        send: (to: NodeId, frame) => this.#send(number, Number.parseInt(to, 16), frame),
        reply: (id, result) => this.results.set(id, result),
        changed: (id, result) => this.changes.set(id, result),
        adopted: () => {},
        event: (name, details) => this.events.push(`${number} ${name} ${JSON.stringify(details)}`),
      },
    })
  }

  /** The process ends; what was not durable is lost. */
  crash(number: number): void {
    const { store } = this.#machines[number]!
    store.crash()
    this.#machines[number] = { store, node: undefined }
  }

  /** Waits for the result. */
  change(number: number, change: TopologyChange): ChangeResult {
    const id = ++this.#ids
    this.node(number).change({ id, change, deadlineMs: this.nowMs + 5000 }, this.#now())
    this.run(6000, () => this.changes.has(id))
    return this.changes.get(id)!
  }

  run(ms: number, done: () => boolean = () => false): void {
    for (const end = this.nowMs + ms; this.nowMs < end && !done(); this.nowMs++) {
      const due = this.#wire.filter(({ atMs }) => atMs <= this.nowMs)
      this.#wire = this.#wire.filter(({ atMs }) => atMs > this.nowMs)
      for (const { from, to, frame } of due) this.#machines[to]?.node?.receive(idOf(from), frame, this.#now())
      const arrived = new Set(due.map(({ to }) => to))
      for (const [number, machine] of this.#machines.entries())
        if (machine?.node !== undefined && (arrived.has(number) || machine.node.wakeAtMs <= this.nowMs))
          machine.node.tick(this.#now())
    }
  }

  #send(from: number, to: number, frame: Uint8Array): void {
    if (this.link(from, to)) this.#wire.push({ from, to, frame, atMs: this.nowMs + 1 })
  }

  #now() {
    return { monotonicMs: this.nowMs, wallMs: 1_700_000_000_000 + this.nowMs }
  }

  #random(): number {
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0
    return this.#seed / 2 ** 32
  }
}

const labels = (number: number) => ({ host: `host${number}`, zone: '', address: `address${number}` })
