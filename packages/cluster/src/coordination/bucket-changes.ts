import type { Resolution } from '../record/resolution.js'
import { ChangeRefusal } from './change-outcome.js'
import type { Bucket, Topology } from './topology.js'
import { topologyLimits } from './topology-limits.js'

export interface BucketOptions {
  readonly n: number
  readonly r: number
  readonly w: number
  readonly resolution: Resolution
}

export function createBucket(topology: Topology, name: string, options: BucketOptions): Topology {
  const { buckets } = topology
  if (buckets.some((each) => each.name === name))
    throw new ChangeRefusal('CASKADE_BUCKET_EXISTS', `there is a bucket ${JSON.stringify(name)}: alter it`)
  if (buckets.length >= topologyLimits.buckets)
    throw new ChangeRefusal('CASKADE_TOO_MANY', `${topologyLimits.buckets} buckets are the most`)
  const bytes = new TextEncoder().encode(name).length
  if (bytes < 1 || bytes > topologyLimits.name)
    throw new ChangeRefusal(
      'CASKADE_BAD_REQUEST',
      `a bucket's name has 1 to ${topologyLimits.name} bytes, not ${bytes}`,
    )
  checkOptions(topology, options)
  const number = buckets.reduce((most, each) => Math.max(most, each.number), 0) + 1
  return { ...topology, buckets: [...buckets, { name, number, ...options }] }
}

/**
 * Refused where a read of the new `r` could miss a write that was acknowledged under an earlier `n` or `w`: `held` says how many of the
 * owners have every one of those. The owners of a bucket change with `n`, so that requests in flight begin anew.
 */
export function alterBucket(topology: Topology, name: string, change: Partial<BucketOptions>): Topology {
  const bucket = topology.buckets.find((each) => each.name === name)
  if (bucket === undefined)
    throw new ChangeRefusal('CASKADE_NO_SUCH_BUCKET', `no bucket ${JSON.stringify(name)}: create it`)
  const options: BucketOptions = {
    n: change.n ?? bucket.n,
    r: change.r ?? bucket.r,
    w: change.w ?? bucket.w,
    resolution: change.resolution ?? bucket.resolution,
  }
  checkOptions(topology, options)
  const held = (bucket.held ?? bucket.w) - Math.max(0, bucket.n - options.n)
  if (held + options.r <= options.n)
    throw new ChangeRefusal(
      'CASKADE_BAD_REQUEST',
      `acknowledged writes are on ${held} of ${options.n} owners: a read of ${options.r} could miss one; ask for r=${options.n - held + 1}`,
    )
  const grownAt = options.n > bucket.n ? topology.epoch + 1 : bucket.grownAt
  const altered: Bucket = {
    name,
    number: bucket.number,
    ...options,
    held: Math.min(held, options.w),
    ...(grownAt !== undefined && { grownAt }),
  }
  return {
    ...topology,
    buckets: topology.buckets.map((each) => (each === bucket ? altered : each)),
    ...(options.n === bucket.n ? {} : { changedAt: topology.claim.map(() => topology.epoch + 1) }),
  }
}

function checkOptions({ settings }: Topology, { n, r, w, resolution }: BucketOptions): void {
  const whole = [n, r, w].every((each) => Number.isInteger(each) && each >= 1)
  if (!whole || n > settings.replicas || r > n || w > n || r + w <= n)
    throw new ChangeRefusal(
      'CASKADE_BAD_REQUEST',
      `n=${n} r=${r} w=${w}: n from 1 to the ${settings.replicas} replicas of this cluster, r and w up to n, r + w above n`,
    )
  if (resolution.rule === 'lww') return
  if (!(Number.isInteger(resolution.siblingsMax) && resolution.siblingsMax >= 1 && resolution.siblingsMax <= 255))
    throw new ChangeRefusal('CASKADE_BAD_REQUEST', `siblingsMax is from 1 to 255, not ${resolution.siblingsMax}`)
  if (resolution.rule === 'merge' && !/^[\x21-\x7e]{1,255}$/.test(resolution.name))
    throw new ChangeRefusal('CASKADE_BAD_REQUEST', 'the name of a merge function: 1 to 255 characters of ASCII')
}
