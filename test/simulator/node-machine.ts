import type { ClientRequest, DeliberateBug, NodeId, NodeIdentity, NodeSink, Now, ReplicaStore } from '@caskade/cluster'

/** What the simulator drives: the public surface of `ClusterNode`, and nothing beside it. */
export interface NodeMachine {
  /** Monotonic milliseconds of its own clock; Infinity: nothing to wait for. */
  readonly wakeAtMs: number
  receive(from: NodeId, frame: Uint8Array, now: Now): void
  onDurable(now: Now): void
  tick(now: Now): void
  request(request: ClientRequest, now: Now): void
}

/** One life of a node, from a start to the next crash or stop. */
export interface Life {
  readonly index: number
  readonly identity: NodeIdentity
  readonly store: ReplicaStore
  readonly sink: NodeSink
  /** In [0, 1). */
  readonly random: () => number
  readonly deliberateBugs: ReadonlySet<DeliberateBug>
}

export type NodeFactory = (life: Life) => NodeMachine
