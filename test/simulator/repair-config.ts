import type { NodeConfig } from '@caskade/cluster'
import { randomStream } from './random-stream.js'

/** Anti-entropy and collection as the seed has them: off in half the runs, and else so often that they meet everything else. */
export function repairConfig(seed: number): Pick<NodeConfig, 'repairIntervalMs' | 'tombstoneGraceMs'> {
  const random = randomStream(seed, 'repair')
  return {
    repairIntervalMs: random.chance(0.5) ? Number.POSITIVE_INFINITY : random.pick([2000, 4000, 8000]),
    tombstoneGraceMs: random.pick([0, 200, 1000, 4000]),
  }
}
