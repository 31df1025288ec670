import type {
  ClientRequest,
  CoordinatedNodeSink,
  DeliberateBug,
  NodeId,
  NodeIdentity,
  Now,
  ReplicaStore,
  Topology,
  TopologyChangeRequest,
} from '@caskade/cluster'

/** What the simulator drives: the public surface of `CoordinatedNode`, and nothing beside it. */
export interface NodeMachine {
  /** Monotonic milliseconds of its own clock; Infinity: nothing to wait for. */
  readonly wakeAtMs: number
  receive(from: NodeId, frame: Uint8Array, now: Now): void
  onDurable(now: Now): void
  tick(now: Now): void
  request(request: ClientRequest, now: Now): void
  /** What it has, for the judge. */
  readonly topology?: Topology | undefined
  /** Absent: its topology does not change. */
  change?(request: TopologyChangeRequest, now: Now): void
  /** Why it serves no more: its process ends. */
  readonly halted?: string | undefined
}

/** One life of a node, from a start to the next crash or stop. */
export interface Life {
  readonly index: number
  readonly identity: NodeIdentity
  readonly store: ReplicaStore
  /** The disk is the one that the node was set up with: it may have been written in its earlier lives. */
  readonly isFirstDisk: boolean
  readonly sink: CoordinatedNodeSink
  /** In [0, 1). */
  readonly random: () => number
  readonly deliberateBugs: ReadonlySet<DeliberateBug>
}

export type NodeFactory = (life: Life) => NodeMachine
