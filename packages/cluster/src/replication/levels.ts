import type { Bucket } from '../coordination/topology.js'
import type { Level } from '../node/client-request.js'

/** How many answers a read waits for: 0 for one that no bucket allows. */
export function readNeed(bucket: Bucket, level: Level, r: number | undefined): number {
  if (r !== undefined) return valid(r, bucket.n)
  if (level === 'all') return bucket.n
  return level === 'quorum' ? bucket.r : 1
}

/** How many acknowledgements a write waits for: 0 for one that no bucket allows. */
export function writeNeed(bucket: Bucket, level: Level, w: number | undefined): number {
  if (w !== undefined) return valid(w, bucket.n)
  if (level === 'all') return bucket.n
  return level === 'one' ? 1 : bucket.w
}

const valid = (need: number, n: number) => (Number.isInteger(need) && need >= 1 && need <= n ? need : 0)
