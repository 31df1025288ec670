/** The type byte of every peer message: one table, so that no two modules take the same number. A number is never reused. */
export const messageType = {
  get: 1,
  getReply: 2,
  replicate: 3,
  replicateReply: 4,
  forward: 5,
  forwardReply: 6,
  // 32-47 membership, 48-63 coordination, 64-79 convergence, 80-95 rebalance: each module lists its own in its *-format.ts.
} as const

/** First type byte of each module that registers cold messages with the node. */
export const messageTypeBase = { membership: 32, coordination: 48, convergence: 64, rebalance: 80 } as const
