import { Coordination } from '../coordination/coordination.js'
import { coordinationType } from '../coordination/coordination-format.js'
import { firstLife } from '../coordination/create-topology.js'
import { defaultProposerConfig, type ProposerConfig } from '../coordination/proposer.js'
import type { Topology } from '../coordination/topology.js'
import type { ChangeResult, TopologyChangeRequest } from '../coordination/topology-change-request.js'
import { storedTopology, storeTopology } from '../coordination/topology-spread.js'
import { Membership } from '../membership/membership.js'
import { defaultMembershipConfig, type MembershipConfig } from '../membership/membership-config.js'
import { membershipType } from '../membership/membership-format.js'
import type { MergeFunction } from '../replication/answer.js'
import type { ReplicaStore } from '../store/replica-store.js'
import { storeErrorCode } from '../store/store-error.js'
import type { ClientRequest } from './client-request.js'
import { ClusterNode } from './cluster-node.js'
import type { DeliberateBug } from './deliberate-bugs.js'
import type { NodeId } from './identity.js'
import { countBoot, forgetLife, type StoredIdentity, storedIdentity, storeIdentity } from './identity-store.js'
import { JoiningNode } from './joining-node.js'
import { defaultNodeConfig, type NodeConfig } from './node-config.js'
import type { NodeSink } from './node-sink.js'
import type { Now } from './now.js'

export interface CoordinatedNodeConfig {
  readonly node: NodeConfig
  readonly membership: MembershipConfig
  readonly proposer: ProposerConfig
}

export const defaultCoordinatedNodeConfig: CoordinatedNodeConfig = {
  node: defaultNodeConfig,
  membership: defaultMembershipConfig,
  proposer: defaultProposerConfig,
}

export interface CoordinatedNodeSink extends NodeSink {
  /** The one answer to the change of that id. */
  changed(id: number, result: ChangeResult): void
  /** Each topology that comes into force here, in order. */
  adopted(topology: Topology): void
}

export interface CoordinatedNodeOptions {
  /** 16 hex digits, drawn when the cluster is created: whoever is to join is told. */
  readonly clusterId: string
  readonly id: NodeId
  readonly host: string
  readonly zone: string
  readonly address: string
  readonly config: CoordinatedNodeConfig
  /** In [0, 1). */
  readonly random: () => number
  readonly store: ReplicaStore
  readonly sink: CoordinatedNodeSink
  /** Whom to ask to be let in. */
  readonly seeds: readonly NodeId[]
  /**
   * Creates the cluster: its first topology, the same on each of its first nodes. Give it to the very first start of a node, and never again:
   * one that has lost its data must join, or it would forget what it promised. Ignored where the disk already has an identity.
   */
  readonly create?: Topology
  readonly merges?: ReadonlyMap<string, MergeFunction>
  readonly deliberateBugs?: ReadonlySet<DeliberateBug>
}

/** After a full disk: when to try to count the start of the process again. */
const bootRetryMs = 500
const readdressMs = 30_000

/**
 * A node with all that makes it part of a cluster: its identity on disk, joining, membership, and the topology that all agree on, around
 * the `ClusterNode` that serves requests. Inputs and effects are those of `ClusterNode`, and `change`.
 */
export class CoordinatedNode {
  readonly #options: CoordinatedNodeOptions
  readonly #bugs: ReadonlySet<DeliberateBug>
  #identity: StoredIdentity
  #joining: JoiningNode | undefined
  #node: ClusterNode | undefined
  #membership: Membership | undefined
  #coordination: Coordination | undefined
  /** 0: not counted yet. */
  #boot = 0
  #bootTicket = 0
  #bootAtMs = 0
  readonly #early: TopologyChangeRequest[] = []
  #halted: string | undefined

  /** @throws CASKADE_CORRUPTION, CASKADE_IO, CASKADE_DISK_FULL, RangeError if the disk is another node's or cluster's */
  constructor(options: CoordinatedNodeOptions) {
    this.#options = options
    this.#bugs = options.deliberateBugs ?? new Set()
    const { store } = options
    this.#identity = storedIdentity(store) ?? this.#newIdentity()
    const { clusterId, id, member } = this.#identity
    if (clusterId !== options.clusterId || id !== options.id)
      throw new RangeError(
        `the disk is that of node ${id} of cluster ${clusterId}, not of node ${options.id} of cluster ${options.clusterId}`,
      )
    const topology = storedTopology(store)
    if (member !== 0 && topology !== undefined) this.#node = this.#makeNode(topology)
    else this.#joining = this.#makeJoining()
  }

  /** `undefined` until this node is a member. */
  get topology(): Topology | undefined {
    return this.#node?.topology
  }

  /** The node that serves requests, for the machines that repair and move; `undefined` until this node is a member. */
  get node(): ClusterNode | undefined {
    return this.#node
  }

  /** Why this node serves no more: `removed`, or `supplanted`: its disk is an old copy. The process should end. */
  get halted(): string | undefined {
    return this.#halted
  }

  /** Where a node is, by its own word, else by the topology's. */
  addressOf(id: NodeId): string | undefined {
    return (
      this.#membership?.addressOf(id) ??
      this.topology?.members.find((each) => each.id === id && each.state !== 'removed')?.address
    )
  }

  get wakeAtMs(): number {
    if (this.#joining !== undefined) return this.#joining.wakeAtMs
    const { wakeAtMs } = this.#node!
    if (this.#halted !== undefined) return wakeAtMs
    if (this.#boot === 0) return Math.min(wakeAtMs, this.#bootAtMs)
    if (this.#coordination === undefined && this.#options.store.durableTicket >= this.#bootTicket) return 0
    return Math.min(
      wakeAtMs,
      this.#membership?.wakeAtMs ?? Number.POSITIVE_INFINITY,
      this.#coordination?.wakeAtMs ?? Number.POSITIVE_INFINITY,
    )
  }

  receive(from: NodeId, frame: Uint8Array, now: Now): void {
    if (this.#halted !== undefined) return
    if (this.#joining !== undefined) this.#joining.receive(from, frame, now)
    else this.#node!.receive(from, frame, now)
  }

  /** The answer comes through the sink, perhaps before this returns. */
  request(request: ClientRequest, now: Now): void {
    if (this.#joining === undefined && this.#halted === undefined) this.#node!.request(request, now)
    else
      this.#options.sink.reply(request.id, {
        status: 'error',
        code: 'CASKADE_UNAVAILABLE',
        message: this.#halted === undefined ? 'this node has not joined yet' : `this node is ${this.#halted}`,
      })
  }

  /** The answer comes through the sink, perhaps before this returns. */
  change(request: TopologyChangeRequest, now: Now): void {
    const { id, change, changeId = this.#draw(), deadlineMs } = request
    if (this.#coordination !== undefined && this.#halted === undefined)
      this.#coordination.change(change, changeId, deadlineMs, (result) => this.#options.sink.changed(id, result), now)
    else if (this.#node !== undefined && this.#halted === undefined) this.#early.push(request)
    else
      this.#options.sink.changed(id, {
        status: 'error',
        code: 'CASKADE_UNAVAILABLE',
        message: 'this node is no member',
      })
  }

  onDurable(now: Now): void {
    this.#node?.onDurable(now)
  }

  onLoopDelay(ms: number): void {
    this.#membership?.onLoopDelay(ms)
  }

  /** Tells the others that this process ends. Its ownership stays: to give that up, change the topology. */
  goodbye(now: Now): void {
    this.#membership?.leave(now)
  }

  tick(now: Now): void {
    if (this.#joining !== undefined) {
      this.#joining.tick(now)
      return
    }
    if (this.#halted === undefined) {
      if (this.#coordination === undefined) this.#takePart(now)
      this.#membership?.onTimer(now)
      this.#coordination?.onTimer(now)
      this.#coordination?.onDurable(now)
    }
    this.#node!.tick(now)
    // A store whose syncs take no time: what the node's own voter answered is durable now.
    if (this.#coordination?.onDurable(now)) this.#node!.tick(now)
  }

  #newIdentity(): StoredIdentity {
    const { clusterId, id, create, store } = this.#options
    const member = create?.members.find((each) => each.id === id)
    const life = this.#bugs.has('life-not-new') ? firstLife : (member?.life ?? this.#draw())
    const identity = { clusterId, id, life, member: member?.number ?? 0, incarnation: member?.incarnation ?? 0 }
    if (create !== undefined && member !== undefined) storeTopology(store, create)
    storeIdentity(store, identity)
    return identity
  }

  #makeJoining(): JoiningNode {
    const { seeds, store, sink, random, id } = this.#options
    return new JoiningNode({
      identity: this.#identity,
      labels: this.#options,
      seeds: seeds.filter((each) => each !== id),
      store,
      sink,
      random,
      joined: (topology) => this.#join(topology),
    })
  }

  #join(topology: Topology): void {
    const { store, sink } = this.#options
    const { id, life } = this.#identity
    const { number, incarnation } = topology.members.find((each) => each.id === id && each.life === life)!
    const identity = { ...this.#identity, member: number, incarnation }
    try {
      // The identity last: without it the node asks again, and is told the same.
      storeTopology(store, topology)
      storeIdentity(store, identity)
    } catch (error) {
      if (storeErrorCode(error) === undefined) throw error
      return
    }
    this.#identity = identity
    this.#joining = undefined
    this.#node = this.#makeNode(topology)
    sink.event('joined', { member: number, incarnation, epoch: topology.epoch })
  }

  #makeNode(topology: Topology): ClusterNode {
    const { config, random, store, sink, merges } = this.#options
    const node = new ClusterNode({
      identity: this.#identity,
      config: config.node,
      random,
      store,
      sink,
      topology,
      liveness: { of: (id) => this.#membership?.of(id) ?? 'alive' },
      ...(merges === undefined ? {} : { merges }),
      deliberateBugs: this.#bugs,
    })
    sink.adopted(topology)
    return node
  }

  /** Once the start of the process is counted for good, this node speaks of itself and of the topology. */
  #takePart(now: Now): void {
    const { store, sink } = this.#options
    if (this.#boot === 0) {
      if (now.monotonicMs < this.#bootAtMs) return
      try {
        this.#boot = countBoot(store)
        this.#bootTicket = store.ticket
      } catch (error) {
        const code = storeErrorCode(error)
        if (code === undefined) throw error
        this.#bootAtMs = now.monotonicMs + bootRetryMs
        sink.event('boot-not-counted', { code })
      }
      return
    }
    if (store.durableTicket < this.#bootTicket) return
    const node = this.#node!
    this.#membership = this.#makeMembership(now)
    this.#coordination = this.#makeCoordination(node)
    const { membership, coordination } = { membership: this.#membership, coordination: this.#coordination }
    node.register(Object.values(membershipType), membership)
    node.register(Object.values(coordinationType), coordination)
    node.rebalance.propose = (change, deadlineMs, ended, at) =>
      coordination.change(change, this.#draw(), deadlineMs, ended, at)
    node.onNewerEpoch((from, epoch, at) => coordination.onNewerEpoch(from, epoch, at))
    this.#follow(node.topology, now)
    for (const request of this.#early.splice(0)) this.change(request, now)
    this.#readdress(now)
  }

  #makeMembership(now: Now): Membership {
    const { config, random, sink, address } = this.#options
    const { id, incarnation } = this.#identity
    const run = Math.floor(random() * 2 ** 32)
    return new Membership(
      {
        self: { id, incarnation, boot: this.#boot, run, address },
        config: config.membership,
        random,
        sink: {
          send: (to, type, body) => this.#node!.send(to, type, body, false),
          changed: (node, verdict) => sink.event('verdict', { node, verdict }),
          supplanted: () => this.#supplanted(),
        },
      },
      now,
    )
  }

  #makeCoordination(node: ClusterNode): Coordination {
    const { config, random, store, sink } = this.#options
    return new Coordination({
      identity: this.#identity,
      boot: this.#boot,
      topology: node.topology,
      store,
      send: node.send,
      sink,
      random,
      config: config.proposer,
      bugs: this.#bugs,
      adopt: (topology, now) => {
        node.adoptTopology(topology, now)
        sink.adopted(topology)
        this.#follow(topology, now)
      },
    })
  }

  #follow(topology: Topology, now: Now): void {
    const present = topology.members.filter(({ state }) => state !== 'removed')
    // Of a node that lost its data, the newest life.
    const lives = new Map(present.map((member) => [member.id, member]))
    this.#membership!.follow([...lives.values()], now)
    if (lives.get(this.#identity.id)?.number !== this.#identity.member) this.#halt('removed')
  }

  /** The process has come back under another address: the topology is told. */
  #readdress(now: Now): void {
    const { address } = this.#options
    const { member } = this.#identity
    if (this.#node!.topology.members.some((each) => each.number === member && each.address !== address))
      this.#coordination!.change(
        { type: 'readdress', member, address },
        this.#draw(),
        now.monotonicMs + readdressMs,
        () => {},
        now,
      )
  }

  /** What the disk has forgotten cannot be known: votes, dots, deletions. The next start is that of a new life. */
  #supplanted(): void {
    const { store, sink } = this.#options
    try {
      forgetLife(store, this.#node!.topology.partitions)
    } catch (error) {
      const code = storeErrorCode(error)
      if (code === undefined) throw error
      sink.event('disk-not-emptied', { code })
    }
    this.#halt('supplanted')
  }

  #halt(why: string): void {
    this.#halted = why
    this.#options.sink.event('halted', { why })
  }

  /** 16 hex digits. */
  #draw(): string {
    const half = () =>
      Math.floor(this.#options.random() * 2 ** 32)
        .toString(16)
        .padStart(8, '0')
    return half() + half()
  }
}
