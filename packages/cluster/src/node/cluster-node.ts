import { HybridClock } from '../causality/hybrid-clock.js'
import { HintReplay } from '../convergence/hint-replay.js'
import { HintStore } from '../convergence/hint-store.js'
import { Repair } from '../convergence/repair.js'
import { repairType } from '../convergence/repair-format.js'
import { RepairStamps } from '../convergence/repair-stamps.js'
import type { Topology } from '../coordination/topology.js'
import { moveType } from '../rebalance/move-format.js'
import { PartitionDrop } from '../rebalance/partition-drop.js'
import { Rebalance } from '../rebalance/rebalance.js'
import type { MergeFunction } from '../replication/answer.js'
import { GetCoordinator } from '../replication/get-coordinator.js'
import { LocalReplica } from '../replication/local-replica.js'
import { Peers } from '../replication/peers.js'
import { PutCoordinator } from '../replication/put-coordinator.js'
import { Replica } from '../replication/replica.js'
import { RoutingTable } from '../replication/route.js'
import type { SharedParts } from '../replication/shared-parts.js'
import type { ReplicaStore } from '../store/replica-store.js'
import type { FrameHeader } from '../wire/frame-format.js'
import type { ClientRequest } from './client-request.js'
import type { ColdReceiver, SendCold } from './cold-messages.js'
import { type DeliberateBug, WallClock } from './deliberate-bugs.js'
import { FrameReceiver } from './frame-receiver.js'
import type { NodeId, NodeIdentity } from './identity.js'
import type { Liveness } from './liveness.js'
import { MintingEpoch } from './minting-epoch.js'
import type { NodeConfig } from './node-config.js'
import type { NodeSink } from './node-sink.js'
import type { Now } from './now.js'
import { Outbox } from './outbox.js'
import { RequestIntake } from './request-intake.js'

export interface ClusterNodeOptions {
  readonly identity: NodeIdentity
  readonly config: NodeConfig
  /** In [0, 1). */
  readonly random: () => number
  readonly store: ReplicaStore
  readonly sink: NodeSink
  readonly topology: Topology
  readonly liveness: Liveness
  /** By the names that buckets use. */
  readonly merges?: ReadonlyMap<string, MergeFunction>
  /** For tests: see `deliberateBugs`. */
  readonly deliberateBugs?: ReadonlySet<DeliberateBug>
}

/**
 * One node of the cluster: wires the machines to the store, to each other and to the sink, and decides nothing itself.
 *
 * Inputs are calls with the time; each is followed, once per turn of the event loop, by `tick`, which asks the store for durability and
 * sends what has gathered: one frame per peer.
 */
export class ClusterNode {
  readonly gets: GetCoordinator
  readonly puts: PutCoordinator
  readonly replica: Replica
  readonly hints: HintStore
  readonly hintReplay: HintReplay
  readonly repair: Repair
  readonly rebalance: Rebalance
  readonly outbox: Outbox
  readonly local: LocalReplica
  readonly epoch: MintingEpoch
  readonly #parts: SharedParts
  readonly #frames: FrameReceiver
  readonly #intake: RequestIntake
  readonly #header: FrameHeader
  readonly #store: ReplicaStore
  readonly #drop: PartitionDrop
  #syncedTicket = 0
  #seenDurable = 0

  /** @throws CASKADE_CORRUPTION, CASKADE_IO: a node that cannot read its own epoch, promises and hints does not start */
  constructor(options: ClusterNodeOptions) {
    const { identity, config, random, store, sink, topology, liveness } = options
    const bugs = options.deliberateBugs ?? new Set<DeliberateBug>()
    this.#store = store
    this.epoch = new MintingEpoch(store, identity.member, bugs.has('epoch-not-bumped'))
    const clock = bugs.has('wall-clock-stamps')
      ? new WallClock(config.clockSkewMaxMs)
      : new HybridClock(config.clockSkewMaxMs)
    this.local = new LocalReplica(store, this.epoch, clock, {
      early: bugs.has('ack-before-write'),
      dropSiblings: bugs.has('sibling-dropped-on-merge'),
      overwrite: bugs.has('replica-overwrites'),
    })
    this.#header = {
      clusterLow: Number.parseInt(identity.clusterId.slice(8), 16),
      clusterHigh: Number.parseInt(identity.clusterId.slice(0, 8), 16),
      member: identity.member,
      incarnation: identity.incarnation,
      run: Math.floor(random() * 2 ** 32),
      number: 0,
      epoch: topology.epoch,
    }
    this.outbox = new Outbox(this.#header, config.peerBytesMax)
    const peers = new Peers(liveness)
    const routes = new RoutingTable(topology, bugs.has('quorum-in-new-set-only'))
    peers.adopt(routes)
    const self = identity.member
    this.#parts = {
      self,
      config,
      store,
      local: this.local,
      clock,
      outbox: this.outbox,
      peers,
      sink,
      random,
      bugs,
      routes,
    }
    this.hints = new HintStore(store, config.hintBytesMax)
    const merges = options.merges ?? new Map()
    this.gets = new GetCoordinator(this.#parts, merges)
    this.puts = new PutCoordinator(this.#parts, this.epoch, this.hints, merges)
    const stamps = new RepairStamps(store, topology.partitions)
    this.local.stamps = stamps
    this.replica = new Replica(this.#parts, this.hints, stamps)
    this.hintReplay = new HintReplay(this.#parts, this.hints, this.epoch)
    this.#frames = new FrameReceiver(this.#parts, this.#header, this)
    this.repair = new Repair(this.#parts, stamps, this.hints, this.epoch, this.send)
    this.local.observer = this.repair.trees
    this.register(Object.values(repairType), this.repair)
    this.rebalance = new Rebalance(this.#parts, this.repair.pulls, this.send)
    this.repair.healing.gone = () => this.rebalance.gone()
    this.#drop = new PartitionDrop(this.#parts, this.repair.trees, stamps, this.epoch)
    this.register(Object.values(moveType), this.rebalance)
    this.#intake = new RequestIntake(this.#parts, this.gets, this.puts)
  }

  get topology(): Topology {
    return this.#parts.routes.topology
  }

  /** A newer topology; others are ignored. Requests whose owners have changed begin anew. */
  adoptTopology(topology: Topology, now: Now): void {
    if (topology.epoch <= this.topology.epoch) return
    this.#parts.routes = new RoutingTable(topology, this.#parts.bugs.has('quorum-in-new-set-only'))
    this.#header.epoch = topology.epoch
    this.#parts.peers.adopt(this.#parts.routes)
    this.#frames.adopt(this.#parts.routes)
    this.gets.onTopology(now)
    this.puts.onTopology(now)
    this.repair.adopt()
    this.rebalance.adopt()
    this.#drop.adopt()
  }

  /** Messages of these types go to `receiver`. */
  register(types: readonly number[], receiver: ColdReceiver): void {
    this.#frames.register(types, receiver)
  }

  /** Called with the topology epoch of any frame whose sender is ahead: to fetch it from there. */
  onNewerEpoch(listener: (from: NodeId, epoch: number, now: Now) => void): void {
    this.#frames.newerEpoch = listener
  }

  readonly send: SendCold = (to, type, body, held) => {
    const writer = this.outbox.begin(this.#parts.peers.queueOf(to), type, body.length, held)
    if (writer === undefined) return false
    writer.bytes(body)
    this.outbox.end()
    return true
  }

  /** The first input. */
  start(now: Now): void {
    this.hintReplay.onTimer(now)
  }

  /** The frame is the node's to keep: it must not change. */
  receive(from: NodeId, frame: Uint8Array, now: Now): void {
    this.#frames.receive(from, frame, now)
  }

  /** The answer comes through the sink, perhaps before this returns. */
  request(request: ClientRequest, now: Now): void {
    this.#intake.request(request, now)
  }

  /** The store's durableTicket has risen. */
  onDurable(now: Now): void {
    const { durableTicket } = this.#store
    if (durableTicket === this.#seenDurable) return
    this.#seenDurable = durableTicket
    this.gets.onDurable(now)
    this.puts.onDurable(now)
  }

  /** The end of a turn: due timers, one sync, one frame per peer. */
  tick(now: Now): void {
    if (now.monotonicMs >= this.gets.wakeAtMs) this.gets.onTimer(now)
    if (now.monotonicMs >= this.puts.wakeAtMs) this.puts.onTimer(now)
    this.hintReplay.onTimer(now)
    this.repair.onTimer(now)
    this.rebalance.onTimer(now)
    this.#drop.onTimer(now)
    this.#parts.peers.fade(now.monotonicMs)
    const { ticket } = this.#store
    if (ticket !== this.#syncedTicket) {
      this.#syncedTicket = ticket
      this.#store.sync()
    }
    this.onDurable(now)
    this.outbox.mark(this.#store.ticket)
    this.outbox.flush(this.#store.durableTicket, this.#parts.sink)
  }

  /** When `tick` is due at the latest, in monotonic ms. */
  get wakeAtMs(): number {
    return Math.min(
      this.gets.wakeAtMs,
      this.puts.wakeAtMs,
      this.hintReplay.wakeAtMs,
      this.repair.wakeAtMs,
      this.rebalance.wakeAtMs,
      this.#drop.wakeAtMs,
    )
  }
}
