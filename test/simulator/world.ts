import { createHash } from 'node:crypto'
import { type DeliberateBug, encodeTopology, type NodeId, type Topology, type TopologyChange } from '@caskade/cluster'
import type { Disk } from './disk.js'
import { ModelDisk } from './disk.js'
import { EventQueue, type Happening } from './event-queue.js'
import type { Bucket, FinalTopology, SeenChange, TopologySighting } from './history.js'
import { linkOf, Network } from './network.js'
import type { NodeFactory } from './node-machine.js'
import { randomStream } from './random-stream.js'
import { SimulatedNode, type Surroundings } from './simulated-node.js'
import type { Trace } from './trace.js'

export type MakeDisk = (world: World, index: number, onDurable: () => void) => Disk

/** What a fault may wait for. */
export type Moment =
  | { readonly type: 'acknowledged'; readonly bucket: Bucket; readonly key: string }
  /** The first node has adopted it. */
  | { readonly type: 'new-epoch' }

export interface WorldOptions {
  readonly seed: number
  readonly latencyMs: readonly [min: number, max: number]
  readonly syncMs: readonly [min: number, max: number]
  readonly factory: NodeFactory
  /** Places of the nodes that own a key. */
  readonly owners: (world: World, bucket: Bucket, key: string) => readonly number[]
  readonly makeDisk: MakeDisk
  readonly bugs: ReadonlySet<DeliberateBug>
  /** A node of this run may lose its disk for good. */
  readonly losesDisks?: boolean
  readonly trace: Trace
}

export const modelDisk: MakeDisk = (world, index, onDurable) =>
  new ModelDisk(
    randomStream(world.options.seed, `disk ${index}`),
    world.options.syncMs,
    (delayMs, happening) => world.after(delayMs, happening),
    onDurable,
  )

/** Ids are drawn from the seed, so that the ring is another in every run. */
export function nodeIdOf(seed: number, index: number): NodeId {
  const random = randomStream(seed, `id ${index}`)
  return [0, 1].map(() => random.between(0, 0x1_0000_0000).toString(16).padStart(8, '0')).join('')
}

/** A whole cluster on one thread and one virtual clock. */
export class World {
  readonly options: WorldOptions
  readonly network: Network
  readonly nodes: SimulatedNode[] = []
  /** What nodes threw: each is a violation. */
  readonly failures: string[] = []
  /** When nodes died or were stopped. */
  readonly endsOfLives: number[] = []
  /** Events that nodes reported, by name. */
  readonly events: Record<string, number> = {}
  readonly topologies: TopologySighting[] = []
  /** The newest that any node has adopted. */
  topology: Topology | undefined
  readonly changes: SeenChange[] = []
  /** Members that were told to leave, in a run that may lose a disk. */
  departures = 0
  /** Set by what started something that ends in promises: they are let run before the next happening. */
  hasPromises = false
  readonly #watchers = new Set<(moment: Moment) => void>()
  readonly #digests = new WeakMap<Topology, string>()
  readonly #queue = new EventQueue()
  readonly #byId = new Map<NodeId, SimulatedNode>()
  #nowMs = 0
  happenings = 0

  constructor(options: WorldOptions) {
    this.options = options
    this.network = new Network(options.seed, options.latencyMs)
  }

  get nowMs(): number {
    return this.#nowMs
  }

  get trace(): Trace {
    return this.options.trace
  }

  /** A new node, not started. Its index is its place in `nodes`, and its member number less one. */
  addNode(): SimulatedNode {
    const { seed, factory, makeDisk, bugs } = this.options
    const index = this.nodes.length
    const id = nodeIdOf(seed, index)
    const identity = { clusterId: nodeIdOf(seed, -1), id, member: index + 1, incarnation: 1 }
    const node = new SimulatedNode(
      index,
      identity,
      (onDurable) => makeDisk(this, index, onDurable),
      factory,
      randomStream(seed, `node ${index}`),
      bugs,
      this.#surroundings(this.trace),
    )
    this.nodes.push(node)
    this.#byId.set(id, node)
    return node
  }

  /** Until what is returned is called. */
  watch(watcher: (moment: Moment) => void): () => void {
    this.#watchers.add(watcher)
    return () => this.#watchers.delete(watcher)
  }

  notice(moment: Moment): void {
    for (const watcher of this.#watchers) watcher(moment)
  }

  nodeOf(id: NodeId): SimulatedNode {
    return this.#byId.get(id)!
  }

  /** Asks a node for a change; what is heard of it is kept. Not answered: its node died, or was never up. */
  change(node: number, change: TopologyChange, changeId: string, timeoutMs: number): SeenChange {
    const bucket = change.type === 'createBucket' ? change.name : ''
    const seen: SeenChange = {
      bucket,
      beganAtMs: this.#nowMs,
      endedAtMs: Number.POSITIVE_INFINITY,
      outcome: 'uncertain',
      epoch: 0,
    }
    this.nodes[node]!.change(change, changeId, timeoutMs, (result) => {
      seen.endedAtMs = this.#nowMs
      if (result?.status === 'ok') {
        seen.outcome = 'ok'
        seen.epoch = result.epoch
      } else if (result !== undefined && result.code !== 'CASKADE_UNCERTAIN') seen.outcome = 'failed'
      this.trace.say(this.#nowMs, `node ${node}: change ${changeId} ${JSON.stringify(result)}`)
    })
    this.changes.push(seen)
    return seen
  }

  /** What each node that is up has now. */
  finalTopologies(): FinalTopology[] {
    return this.nodes.flatMap(({ index, machine }) => {
      const topology = machine?.topology
      if (topology === undefined) return []
      return [{ node: index, epoch: topology.epoch, buckets: topology.buckets.map(({ name }) => name) }]
    })
  }

  after(delayMs: number, happening: Happening): void {
    this.#queue.add(this.#nowMs + delayMs, happening)
  }

  at(atMs: number, happening: Happening): void {
    this.#queue.add(Math.max(atMs, this.#nowMs), happening)
  }

  /** Until that moment, or until `done`; whichever is first. */
  async run(untilMs: number, done: () => boolean = () => false): Promise<void> {
    while (!done()) {
      const { nextAtMs } = this.#queue
      if (nextAtMs > untilMs) {
        this.#nowMs = Math.max(this.#nowMs, untilMs)
        return
      }
      this.#nowMs = nextAtMs
      this.happenings++
      this.trace.moment(nextAtMs)
      this.#queue.take()()
      if (this.hasPromises) {
        this.hasPromises = false
        await new Promise<void>((resolve) => setImmediate(resolve))
      }
    }
  }

  #surroundings(trace: Trace): Surroundings {
    return {
      nowMs: () => this.#nowMs,
      after: (delayMs, happening) => this.after(delayMs, happening),
      trace,
      ended: () => this.endsOfLives.push(this.#nowMs),
      send: (from, to, frame) => this.#send(from, to, frame),
      failed: (node, error) => {
        const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
        this.failures.push(`node ${node.index} at ${this.#nowMs.toFixed(3)}: ${text}`)
        this.trace.say(this.#nowMs, `node ${node.index} threw ${text}`)
      },
      adopted: (node, topology) => {
        if (topology.epoch > (this.topology?.epoch ?? 0)) {
          this.topology = topology
          this.notice({ type: 'new-epoch' })
        }
        if (this.trace.wordy) this.trace.say(this.#nowMs, `node ${node.index} adopts epoch ${topology.epoch}`)
        this.topologies.push({ node: node.index, epoch: topology.epoch, digest: this.#digest(topology) })
      },
      event: (node, name, details) => {
        this.events[name] = (this.events[name] ?? 0) + 1
        if (this.trace.wordy) this.trace.say(this.#nowMs, `node ${node.index}: ${name} ${JSON.stringify(details)}`)
      },
    }
  }

  #digest(topology: Topology): string {
    let digest = this.#digests.get(topology)
    if (digest === undefined) {
      digest = createHash('sha256').update(encodeTopology(topology)).digest('hex').slice(0, 16)
      this.#digests.set(topology, digest)
    }
    return digest
  }

  #send(from: SimulatedNode, to: NodeId, frame: Uint8Array): void {
    const target = this.#byId.get(to)
    const { trace } = this
    trace.number(from.index)
    trace.bytes(frame)
    if (target === undefined) return
    const link = linkOf(from.index, target.index)
    const arrivals = this.network.arrivals(link, this.#nowMs)
    if (trace.wordy)
      trace.say(
        this.#nowMs,
        `${from.index} -> ${target.index}: ${frame.length} bytes, ${arrivals.length === 0 ? 'lost' : `arrives ${arrivals.map((atMs) => atMs.toFixed(3)).join(' and ')}`}`,
      )
    for (const arrivesAtMs of arrivals)
      this.#queue.add(arrivesAtMs, () => {
        if (!this.network.isCut(link)) target.receive(from.identity.id, frame)
      })
  }
}
