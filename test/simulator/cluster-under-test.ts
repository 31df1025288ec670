import type { Bucket, ReplicaCopy } from './history.js'
import type { NodeFactory } from './node-machine.js'
import type { Plan } from './plan.js'
import type { World } from './world.js'

/** What a run runs, and how to look into it from outside. */
export interface ClusterUnderTest {
  readonly factory: NodeFactory
  /** Places of the nodes that own the key. */
  owners(world: World, bucket: Bucket, key: string): readonly number[]
  /** What each owner of the key has in its store; empty where there is no such thing. */
  copies(world: World, bucket: Bucket, key: string): ReplicaCopy[]
}

export type MakeCluster = (plan: Plan) => ClusterUnderTest
