import type { Level } from '@caskade/cluster'
import type { Bucket } from './history.js'

/** What the checkers hold the cluster to at each level: how many owners a read asks and a write is acknowledged by. */
export function answersNeeded({ n, r, w }: Bucket, level: Level): { r: number; w: number; strict: boolean } {
  switch (level) {
    case 'one':
      return { r: 1, w: 1, strict: true }
    case 'quorum':
      return { r, w, strict: true }
    case 'all':
      return { r: n, w: n, strict: true }
    case 'eventual':
      return { r: 1, w, strict: false }
    // Its own promise is the session's; its writes are as good as those of a quorum.
    case 'session':
      return { r: 1, w, strict: true }
  }
}
