import type { NodeId } from '../node/identity.js'
import { claimPartitions } from '../placement/claim-policy.js'
import { type Bucket, defaultSettings, type Member, type Settings, type Topology } from './topology.js'
import { chooseVoters } from './voter-policy.js'

/** A node as it asks to become a member. */
export interface NewNode {
  readonly id: NodeId
  readonly host: string
  readonly zone: string
  readonly address: string
}

export interface NewCluster {
  /** The first members: numbers 1 and on. The life of each is a row of zeros: only a join draws one. */
  readonly nodes: readonly NewNode[]
  readonly partitions: number
  readonly buckets?: readonly Bucket[]
  readonly settings?: Settings
}

export const firstLife = '0'.repeat(16)

/** Epoch 1. The same arguments give the same value on every node, so that each may make it for itself. */
export function createTopology({ nodes, partitions, buckets = [], settings = defaultSettings }: NewCluster): Topology {
  const members = nodes.map(
    ({ id, host, zone, address }, index): Member => ({
      number: index + 1,
      id,
      incarnation: 1,
      life: firstLife,
      host,
      zone,
      address,
      state: 'up',
    }),
  )
  const claim = claimPartitions(members, partitions, settings.replicas)
  const voters = chooseVoters(members, [])
  return {
    epoch: 1,
    members,
    nextMember: members.length + 1,
    partitions,
    claim,
    target: claim,
    moves: [],
    changedAt: new Array<number>(partitions).fill(1),
    buckets,
    settings,
    voters,
    previousVoters: voters,
    recentChanges: [],
  }
}
