import {
  type Bucket as ClusterBucket,
  CoordinatedNode,
  createTopology,
  defaultCoordinatedNodeConfig,
  isCollectable,
  partitionOfSlot,
  type Resolution,
  slotOf,
  storeErrorCode,
  type Topology,
} from '@caskade/cluster'
import type { MakeCluster } from './cluster-under-test.js'
import type { Bucket, ReplicaCopy, Rule } from './history.js'
import type { Plan } from './plan.js'
import { repairConfig } from './repair-config.js'
import { wallClockBeginsMs } from './simulated-node.js'
import { mergeUnion } from './value.js'
import { nodeIdOf, type World } from './world.js'

const siblingsMax = 64

const resolutions: Record<Rule, Resolution> = {
  lww: { rule: 'lww' },
  siblings: { rule: 'siblings', siblingsMax },
  union: { rule: 'merge', name: 'union', siblingsMax },
}

const partitions = 32

function topologyOf(plan: Plan): Topology {
  const { seed, nodes } = plan
  const number = (place: number) => (place % nodes) + 1
  const buckets = plan.buckets.map(
    ({ name, rule, n, r, w }, index): ClusterBucket => ({
      name,
      number: index + 1,
      n,
      r,
      w,
      resolution: resolutions[rule],
    }),
  )
  const topology = createTopology({
    nodes: Array.from({ length: nodes }, (_, index) => ({
      id: nodeIdOf(seed, index),
      host: `host${index}`,
      zone: 'zone',
      address: `node${index}`,
    })),
    partitions,
    buckets,
  })
  const claim = Array.from({ length: partitions }, (_, partition) => [0, 1, 2].map((i) => number(partition * 7 + i)))
  return { ...topology, claim, target: claim }
}

/** The cluster itself, all of whose nodes begin with the same topology. */
export const caskadeCluster: MakeCluster = (plan) => {
  const topology = topologyOf(plan)
  const config = {
    ...defaultCoordinatedNodeConfig,
    node: { ...defaultCoordinatedNodeConfig.node, ...repairConfig(plan.seed) },
  }
  const numberOf = ({ name }: Bucket) => topology.buckets.find((bucket) => bucket.name === name)!.number
  return {
    factory: ({ index, identity, store, isFirstDisk, sink, random, deliberateBugs }) =>
      new CoordinatedNode({
        clusterId: identity.clusterId,
        id: identity.id,
        host: `host${index}`,
        zone: 'zone',
        address: `node${index}`,
        config,
        random,
        store,
        sink,
        seeds: topology.members.map(({ id }) => id),
        // Others join; so does who has lost all.
        ...(index < plan.nodes && isFirstDisk ? { create: topology } : {}),
        merges: new Map([['union', mergeUnion]]),
        deliberateBugs,
      }),
    owners: (world, bucket, key) => ownersOf(world.topology ?? topology, world, bucket, partitionOf(key)),
    copies(world, bucket, key): ReplicaCopy[] {
      const bytes = Buffer.from(key, 'latin1')
      const partition = partitionOf(key)
      const stored = Buffer.concat([Buffer.from([numberOf(bucket) >>> 8, numberOf(bucket)]), bytes])
      return ownersOf(world.topology ?? topology, world, bucket, partition).map((node) => ({
        node,
        key: `${bucket.name}/${key}`,
        ...readable(() => world.nodes[node]!.disk.read(partition, stored), wallClockBeginsMs + world.nowMs),
      }))
    },
  }
}

function partitionOf(key: string): number {
  const bytes = Buffer.from(key, 'latin1')
  return partitionOfSlot(slotOf(bytes, 0, bytes.length), partitions)
}

function ownersOf({ claim, members }: Topology, world: World, { n }: Bucket, partition: number): number[] {
  const owners = claim[partition]!.slice(0, n)
  return owners.map((owner) => world.nodeOf(members.find(({ number }) => number === owner)!.id).index)
}

/** What is deleted is nothing: some owners may have collected it already. */
function readable(read: () => Uint8Array | undefined, nowMs: number): Pick<ReplicaCopy, 'record' | 'damaged'> {
  try {
    const record = read()
    const isNothing = record === undefined || isCollectable(record, nowMs)
    return { record: isNothing ? undefined : Buffer.from(record).toString('hex') }
  } catch (error) {
    if (storeErrorCode(error) === undefined) throw error
    return { record: undefined, damaged: true }
  }
}
