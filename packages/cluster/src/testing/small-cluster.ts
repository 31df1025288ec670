import { createTopology } from '../coordination/create-topology.js'
import type { Bucket, Topology } from '../coordination/topology.js'
import type { ClientRequest } from '../node/client-request.js'
import { ClusterNode } from '../node/cluster-node.js'
import type { DeliberateBug } from '../node/deliberate-bugs.js'
import type { NodeId } from '../node/identity.js'
import type { Verdict } from '../node/liveness.js'
import { defaultNodeConfig, type NodeConfig } from '../node/node-config.js'
import type { NodeSink } from '../node/node-sink.js'
import type { Now } from '../node/now.js'
import type { KeyResult, Result } from '../node/result.js'
import { lww } from '../record/resolution.js'
import { ModelReplicaStore } from '../store/model-replica-store.js'

interface InFlight {
  from: number
  to: number
  frame: Uint8Array
  atMs: number
}

export interface SmallClusterOptions {
  nodes?: number
  owners?: readonly number[]
  buckets?: readonly Bucket[]
  config?: Partial<NodeConfig>
  bugs?: readonly DeliberateBug[]
  /** Stores that become durable only when a test says so. */
  slowStores?: boolean
}

export const defaultBucket: Bucket = { name: 'b', number: 0, n: 3, r: 2, w: 2, resolution: lww }
export const siblingsBucket: Bucket = {
  name: 's',
  number: 1,
  n: 3,
  r: 2,
  w: 2,
  resolution: { rule: 'siblings', siblingsMax: 16 },
}

export const idOf = (member: number): NodeId => member.toString(16).padStart(16, '0')
export const text = (value: string) => new TextEncoder().encode(value)
export const valuesOf = (result: Result | undefined): string[] =>
  result?.status === 'ok' ? result.values.map(({ value }) => new TextDecoder().decode(value)) : []

/**
 * Some nodes, members 1 and on, in one process and one thread of time, for hand-made sequences of messages: frames take 1 ms
 * unless `link` says that they are lost. One partition, so that a test knows who owns a key.
 */
export class SmallCluster {
  readonly nodes: ClusterNode[] = []
  readonly stores: ModelReplicaStore[] = []
  readonly events: string[] = []
  readonly results = new Map<number, Result>()
  readonly verdicts = new Map<number, Verdict>()
  readonly sent: InFlight[] = []
  frames = 0
  nowMs = 1000
  wallMs = 1_700_000_000_000
  topology: Topology
  /** False: what goes from one member to another is lost. */
  link: (from: number, to: number) => boolean = () => true
  #ids = 0
  #seed = 1
  readonly #options: SmallClusterOptions

  constructor(options: SmallClusterOptions = {}) {
    this.#options = options
    const count = options.nodes ?? 3
    const nodes = Array.from({ length: count }, (_, i) => ({
      id: idOf(i + 1),
      host: `host${i + 1}`,
      zone: '',
      address: '',
    }))
    const claim = [options.owners ?? [1, 2, 3].slice(0, count)]
    this.topology = {
      ...createTopology({ nodes, partitions: 1, buckets: options.buckets ?? [defaultBucket, siblingsBucket] }),
      claim,
      target: claim,
    }
    for (let member = 1; member <= count; member++) {
      const store = new ModelReplicaStore()
      store.slow = options.slowStores ?? false
      this.stores[member] = store
      this.start(member)
    }
  }

  now(): Now {
    return { monotonicMs: this.nowMs, wallMs: this.wallMs }
  }

  /** A process over the member's store: begins without memory. */
  start(member: number): ClusterNode {
    const sink: NodeSink = {
      send: (peer, frame) => {
        const to = Number.parseInt(peer, 16)
        this.frames++
        if (this.link(member, to)) this.sent.push({ from: member, to, frame, atMs: this.nowMs + 1 })
      },
      reply: (id, result) => {
        if (this.results.has(id)) throw new Error(`request ${id} was answered twice`)
        this.results.set(id, result)
      },
      event: (name, details) => this.events.push(`${member} ${name} ${JSON.stringify(details)}`),
    }
    const node = new ClusterNode({
      identity: { clusterId: '00c1a57e00000001', id: idOf(member), member, incarnation: 1 },
      config: { ...defaultNodeConfig, repairIntervalMs: Number.POSITIVE_INFINITY, ...this.#options.config },
      random: () => this.#random(),
      store: this.stores[member]!,
      sink,
      topology: this.topology,
      liveness: { of: (id) => this.verdicts.get(Number.parseInt(id, 16)) ?? 'alive' },
      deliberateBugs: new Set(this.#options.bugs),
    })
    this.nodes[member] = node
    return node
  }

  /** Loses what is not durable, and the process; frames on their way to it are lost too. */
  crash(member: number): void {
    this.stores[member]!.crash()
    this.sent.splice(0, this.sent.length, ...this.sent.filter(({ to }) => to !== member))
    this.start(member)
  }

  /** Starts a request and returns its id. Defaults: bucket b, one second. */
  ask(member: number, request: Partial<ClientRequest> & { type: ClientRequest['type'] }): number {
    const id = ++this.#ids
    const whole = { id, bucket: 'b', deadlineMs: this.nowMs + 1000, ...request } as ClientRequest
    this.nodes[member]!.request(whole, this.now())
    this.nodes[member]!.tick(this.now())
    return id
  }

  /** Until the request has been answered. */
  answer(id: number): Result {
    for (let i = 0; i < 5000 && !this.results.has(id); i++) this.run(1)
    const result = this.results.get(id)
    if (result === undefined) throw new Error(`request ${id} never ended`)
    return result
  }

  put(member: number, key: string, value: string, more: object = {}): KeyResult {
    return this.answer(this.ask(member, { type: 'put', key: text(key), value: text(value), ...more })) as KeyResult
  }

  get(member: number, key: string, more: object = {}): KeyResult {
    return this.answer(this.ask(member, { type: 'get', key: text(key), ...more })) as KeyResult
  }

  run(ms: number): void {
    for (let i = 0; i < ms; i++) {
      this.nowMs++
      this.wallMs++
      const due = this.sent.filter(({ atMs }) => atMs <= this.nowMs)
      this.sent.splice(0, this.sent.length, ...this.sent.filter(({ atMs }) => atMs > this.nowMs))
      for (const { from, to, frame } of due) this.nodes[to]?.receive(idOf(from), frame, this.now())
      for (const node of this.nodes) node?.tick(this.now())
    }
  }

  /** What one replica has, whatever the others say. */
  stored(member: number, key: string, bucket = 0): Uint8Array | undefined {
    return this.stores[member]!.get(0, Uint8Array.of(0, bucket, ...text(key)))
  }

  adopt(topology: Topology, members: Iterable<number> = this.nodes.keys()): void {
    this.topology = topology
    for (const member of members) this.nodes[member]?.adoptTopology(topology, this.now())
  }

  #random(): number {
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0
    return this.#seed / 2 ** 32
  }
}
