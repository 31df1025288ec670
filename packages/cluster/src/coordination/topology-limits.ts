/** Bounds on what a topology holds: one that a peer sends is checked against them before anything is made of it. */
export const topologyLimits = {
  /** Members that are not removed. */
  members: 1024,
  /** Removed members that are remembered. */
  removed: 256,
  buckets: 4096,
  replicas: 15,
  voters: 7,
  recentChanges: 64,
  moves: 16384,
  /** Bytes of a bucket's name, a host, a zone, an address. */
  name: 255,
} as const
