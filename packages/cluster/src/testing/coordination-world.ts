import { Coordination } from '../coordination/coordination.js'
import { coordinationType } from '../coordination/coordination-format.js'
import { createTopology } from '../coordination/create-topology.js'
import { defaultProposerConfig } from '../coordination/proposer.js'
import type { Topology } from '../coordination/topology.js'
import type { TopologyChange } from '../coordination/topology-change.js'
import type { ChangeResult } from '../coordination/topology-change-request.js'
import { encodeTopology } from '../coordination/topology-format.js'
import { storedTopology } from '../coordination/topology-spread.js'
import type { DeliberateBug } from '../node/deliberate-bugs.js'
import { ModelReplicaStore } from '../store/model-replica-store.js'

export interface Faults {
  readonly loss: number
  readonly duplicate: number
  readonly delayMaxMs: number
  /** Chance per node and 10 ms. */
  readonly crash: number
  /** Chance per ms that a disk has caught up. */
  readonly sync: number
}

/** One change as its caller saw it. */
export interface ChangeSeen {
  readonly change: TopologyChange
  readonly beganAtMs: number
  endedAtMs: number
  result: ChangeResult | undefined
}

const hex = (n: number) => n.toString(16).padStart(16, '0')

interface Life {
  readonly coordination: Coordination
  readonly held: { ticket: number; deliver: () => void }[]
}

/** The coordination of some nodes over a bad network, without anything else of a node: in steps of 1 ms, from one seed. */
export class CoordinationWorld {
  nowMs = 0
  readonly nodes: number
  readonly changes: ChangeSeen[] = []
  /** Epochs with the bytes of what any node adopted under them: more than one is the end of all promises. */
  readonly topologies = new Map<number, Set<string>>()
  readonly #stores: ModelReplicaStore[] = []
  readonly #lives: (Life | undefined)[] = []
  readonly #boots: number[] = []
  readonly #numbers: number[] = []
  #wire: { atMs: number; to: number; from: number; epoch: number; type: number; body: Uint8Array }[] = []
  readonly #random: () => number
  readonly #bugs: ReadonlySet<DeliberateBug>
  readonly #first: Topology
  faults: Faults

  constructor(seed: number, nodes: number, faults: Faults, bugs: readonly DeliberateBug[] = []) {
    this.#random = generator(seed)
    this.#bugs = new Set(bugs)
    this.faults = faults
    this.nodes = nodes
    this.#first = createTopology({
      nodes: Array.from({ length: nodes }, (_, i) => ({ id: hex(i + 1), host: `${i}`, zone: '', address: '' })),
      partitions: 1,
    })
    for (let member = 1; member <= nodes; member++) {
      this.#stores[member] = new ModelReplicaStore()
      this.#boots[member] = 0
      this.#numbers[member] = member
      this.#start(member)
    }
  }

  /** `undefined` while it is down. */
  topologyOf(member: number): Topology | undefined {
    return this.#lives[member]?.coordination.topology
  }

  random(below: number): number {
    return Math.floor(this.#random() * below)
  }

  change(member: number, change: TopologyChange, timeoutMs: number): void {
    const seen: ChangeSeen = { change, beganAtMs: this.nowMs, endedAtMs: Number.POSITIVE_INFINITY, result: undefined }
    this.changes.push(seen)
    const id = hex(this.changes.length)
    const done = (result: ChangeResult) => {
      seen.result = result
      seen.endedAtMs = this.nowMs
    }
    this.#lives[member]?.coordination.change(change, id, this.nowMs + timeoutMs, done, this.#now())
  }

  /** The node gets an empty disk. It is another member from then on; with the bug, the one that it was. */
  wipe(member: number): void {
    this.#lives[member] = undefined
    this.#stores[member]!.wipe()
    if (!this.#bugs.has('life-not-new')) this.#numbers[member] = 1000 + member
  }

  /** What is not durable is lost; it is back within 20 ms. */
  crash(member: number): void {
    this.#lives[member] = undefined
    this.#stores[member]!.crash()
  }

  run(ms: number): void {
    for (let end = this.nowMs + ms; this.nowMs < end; ) {
      this.nowMs++
      const due = this.#wire.filter(({ atMs }) => atMs <= this.nowMs)
      this.#wire = this.#wire.filter(({ atMs }) => atMs > this.nowMs)
      for (const { from, to, epoch, type, body } of due) {
        const coordination = this.#lives[to]?.coordination
        coordination?.onNewerEpoch(hex(from), epoch, this.#now())
        coordination?.receive(hex(from), type, body, this.#now())
      }
      for (let member = 1; member <= this.nodes; member++) this.#turn(member)
    }
  }

  #turn(member: number): void {
    if (this.nowMs % 10 === 0 && this.#random() < this.faults.crash) {
      this.crash(member)
    }
    if (this.#lives[member] === undefined) {
      if (this.nowMs % 20 === 0) this.#start(member)
      return
    }
    const life = this.#lives[member]!
    const store = this.#stores[member]!
    life.coordination.onTimer(this.#now())
    // In place of the probes of membership: frames that carry the epoch.
    if (this.nowMs % 200 === 0)
      this.#post(member, 1 + this.random(this.nodes), coordinationType.hello, new Uint8Array(0))
    if (this.#random() < this.faults.sync) {
      store.sync()
      store.becomeDurable()
    }
    while (life.held.length > 0 && life.held[0]!.ticket <= store.durableTicket) life.held.shift()!.deliver()
    life.coordination.onDurable(this.#now())
  }

  #start(member: number): void {
    const store = this.#stores[member]!
    store.slow = true
    const held: Life['held'] = []
    const life: Life = {
      held,
      coordination: new Coordination({
        identity: { clusterId: hex(1), id: hex(member), member: this.#numbers[member]!, incarnation: 1 },
        boot: ++this.#boots[member]!,
        topology: this.#known(member),
        store,
        send: (to, type, body, isHeld) => {
          const deliver = () => this.#post(member, Number.parseInt(to, 16), type, body)
          if (isHeld) held.push({ ticket: store.ticket, deliver })
          else deliver()
          return true
        },
        sink: { send: () => {}, reply: () => {}, event: () => {} },
        random: this.#random,
        config: defaultProposerConfig,
        bugs: this.#bugs,
        adopt: (topology) => this.#adopted(topology),
      }),
    }
    this.#lives[member] = life
  }

  /** What the node has on disk; the first topology is part of its configuration. */
  #known(member: number): Topology {
    return storedTopology(this.#stores[member]!) ?? this.#first
  }

  #adopted(topology: Topology): void {
    const bytes = Buffer.from(encodeTopology(topology)).toString('latin1')
    const known = this.topologies.get(topology.epoch)
    if (known === undefined) this.topologies.set(topology.epoch, new Set([bytes]))
    else known.add(bytes)
  }

  #post(from: number, to: number, type: number, body: Uint8Array): void {
    const { loss, duplicate, delayMaxMs } = this.faults
    if (this.#random() < loss) return
    const copies = this.#random() < duplicate ? 2 : 1
    const epoch = this.topologyOf(from)?.epoch ?? 0
    for (let i = 0; i < copies; i++)
      this.#wire.push({ atMs: this.nowMs + 1 + this.random(delayMaxMs), from, to, epoch, type, body })
  }

  #now() {
    return { monotonicMs: this.nowMs, wallMs: this.nowMs }
  }
}

/** Mulberry32. */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
