/** Times of the failure detector. The defaults are those of hashicorp/memberlist for a local network. */
export interface MembershipConfig {
  /** One node is probed each interval. */
  readonly probeIntervalMs: number
  /** Silence after which others are asked to probe, too. Less than the interval. */
  readonly probeTimeoutMs: number
  /** How many others are asked. */
  readonly indirectProbes: number
  /** Suspicion lasts at least this × log10(nodes) intervals ... */
  readonly suspicionMult: number
  /** ... and at most so many times that. */
  readonly suspicionMaxMult: number
  /** λ: a rumour is passed on λ × log10(nodes) times. */
  readonly retransmitMult: number
  /** Rumours are sent to so many nodes each interval, while there are any to pass on. */
  readonly gossipIntervalMs: number
  readonly gossipNodes: number
  /** The whole state is exchanged with one node. */
  readonly pushPullIntervalMs: number
  /** One of those held for dead is tried: after a partition has healed, nobody else would. */
  readonly reconnectIntervalMs: number
  /** The dead whom the topology does not know are forgotten after this: before, old rumours could raise them. */
  readonly deadMemoryMs: number
  /** Bytes of rumours on one message. */
  readonly piggybackBytesMax: number
  /** Highest local health score. */
  readonly healthMax: number
}

export const defaultMembershipConfig: MembershipConfig = {
  probeIntervalMs: 1000,
  probeTimeoutMs: 500,
  indirectProbes: 3,
  suspicionMult: 4,
  suspicionMaxMult: 6,
  retransmitMult: 4,
  gossipIntervalMs: 200,
  gossipNodes: 3,
  pushPullIntervalMs: 30_000,
  reconnectIntervalMs: 5000,
  deadMemoryMs: 3_600_000,
  piggybackBytesMax: 1400,
  healthMax: 8,
}

/** Nodes that are known at once, at most: what a peer makes up does not fill the memory. */
export const nodesMax = 4096
