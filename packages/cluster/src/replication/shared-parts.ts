import type { HybridClock } from '../causality/hybrid-clock.js'
import type { DeliberateBug } from '../node/deliberate-bugs.js'
import type { MemberNumber } from '../node/identity.js'
import type { NodeConfig } from '../node/node-config.js'
import type { NodeSink } from '../node/node-sink.js'
import type { Outbox } from '../node/outbox.js'
import type { ReplicaStore } from '../store/replica-store.js'
import type { LocalReplica } from './local-replica.js'
import type { Peers } from './peers.js'
import type { RoutingTable } from './route.js'

/** What the machines of one node have in common. Only the node itself changes `routes`. */
export interface SharedParts {
  readonly self: MemberNumber
  readonly config: NodeConfig
  readonly store: ReplicaStore
  readonly local: LocalReplica
  readonly clock: HybridClock
  readonly outbox: Outbox
  readonly peers: Peers
  readonly sink: NodeSink
  /** In [0, 1). */
  readonly random: () => number
  readonly bugs: ReadonlySet<DeliberateBug>
  routes: RoutingTable
}
