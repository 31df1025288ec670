import type { MemberNumber, NodeId } from '../node/identity.js'
import type { Resolution } from '../record/resolution.js'

/** What the whole cluster agrees on, as one value. It is never changed in place: a change is a new value with the next epoch. */
export interface Topology {
  /** The number of this value, from 1. */
  readonly epoch: number
  readonly members: readonly Member[]
  /** A power of two, fixed when the cluster is created. */
  readonly partitions: number
  /** Owners of each partition, in ring order. */
  readonly claim: readonly (readonly MemberNumber[])[]
  /** By partition: the moves under way. */
  readonly moves: readonly Move[]
  /** By partition: the epoch in which its owners, or the phase of its move, last changed. Absent: epoch 1 for all. */
  readonly changedAt?: readonly number[]
  readonly buckets: readonly Bucket[]
}

export type MemberState = 'joining' | 'up' | 'leaving' | 'removed'

/** One life of a node. */
export interface Member {
  readonly number: MemberNumber
  readonly id: NodeId
  readonly incarnation: number
  readonly host: string
  readonly zone: string
  readonly address: string
  readonly state: MemberState
}

/**
 * A partition on its way from `claim[partition]` to other owners. Writes go to both sets in both phases; reads to the old
 * owners in the first, to the new ones in the second.
 */
export interface Move {
  readonly partition: number
  readonly to: readonly MemberNumber[]
  readonly phase: 'readOld' | 'readNew'
}

/** A name space of keys with its own replication. */
export interface Bucket {
  readonly name: string
  /** 0 to 65535, never reused: the first two bytes of every stored key. */
  readonly number: number
  /** Replicas, at most the owners that the claim gives. */
  readonly n: number
  /** Answers that a read (`r`) and a write (`w`) wait for at the level `quorum`: r + w > n. */
  readonly r: number
  readonly w: number
  readonly resolution: Resolution
}
