import type { MemberNumber, NodeId } from '../node/identity.js'
import type { Claim } from '../placement/claim.js'
import type { Resolution } from '../record/resolution.js'

/**
 * What the whole cluster agrees on, as one value. It is never changed in place: a change is a new value with the next epoch
 * (topology-change.ts), and there is one value per epoch (register.ts).
 */
export interface Topology {
  /** The number of this value, from 1. */
  readonly epoch: number
  /** Ascending by number. Of removed ones the latest are remembered. */
  readonly members: readonly Member[]
  /** What the next member gets: numbers are never given twice. */
  readonly nextMember: MemberNumber
  /** A power of two, fixed when the cluster is created. */
  readonly partitions: number
  /** Owners of each partition, in ring order. */
  readonly claim: Claim
  /** Where the claim should get to, by moves; equal to it when there is nothing to do. */
  readonly target: Claim
  /** By partition: the moves under way. */
  readonly moves: readonly Move[]
  /** By partition: the epoch in which its owners, or the phase of its move, last changed. Absent: epoch 1 for all. */
  readonly changedAt?: readonly number[]
  readonly buckets: readonly Bucket[]
  readonly settings: Settings
  /** Who holds the register: this value was accepted by a majority of them, and the next one will be. */
  readonly voters: readonly MemberNumber[]
  /** The voters of the epoch before: this value was accepted by a majority of them, too. */
  readonly previousVoters: readonly MemberNumber[]
  /** The latest changes by id, this one's last: one that is repeated is recognized. */
  readonly recentChanges: readonly ChangeId[]
}

/** 16 hex digits, random: names one change through all its retries. */
export type ChangeId = string

/**
 * - `joining`: some of what it should own has not reached it yet.
 * - `leaving`: what it owns moves away; it may be dead already.
 * - `removed`: owns nothing and says nothing that counts.
 */
export type MemberState = 'joining' | 'up' | 'leaving' | 'removed'

/** One life of a node. */
export interface Member {
  readonly number: MemberNumber
  readonly id: NodeId
  readonly incarnation: number
  /** 16 hex digits that the node drew when its data directory was new: tells a repeated join from one after loss of data. */
  readonly life: string
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
  /** How many of the present owners have every acknowledged write, whatever `w` was when it was made. Absent: `w`. */
  readonly held?: number
  /** The epoch in which n was last raised: owners of then have to be given what was there before. Absent: never. */
  readonly grownAt?: number
  readonly resolution: Resolution
}

export interface Settings {
  /** Owners of each partition, if there are so many members. */
  readonly replicas: number
  /** Moves at the same time. */
  readonly movesMax: number
}

export const defaultSettings: Settings = { replicas: 3, movesMax: 16 }
