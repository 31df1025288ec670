/** 16 hex digits, drawn once and kept on disk: who a node is. Its address may change, its identity never does. */
export type NodeId = string

/** What the topology gives to one life (node id and incarnation) of a node, 1 up to 2^21; never reused. Dots and frames carry it. */
export type MemberNumber = number

/** Who mints dots: `member * 2^32 + epoch`, a safe integer. The epoch is the node's durable minting epoch. */
export type Actor = number

/** Who this node is in this life: read from its disk, the member number given by the topology. */
export interface NodeIdentity {
  /** The cluster's random 64 bits: 16 hex digits. Frames of another cluster are refused. */
  readonly clusterId: string
  readonly id: NodeId
  readonly member: MemberNumber
  /** Counts the lives: a node that lost its data returns with the next one, and with a new member number. */
  readonly incarnation: number
}
