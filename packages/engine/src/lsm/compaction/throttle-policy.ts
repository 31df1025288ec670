/** How far the background is behind the writers. */
export interface WriteDebt {
  /** Memtables waiting to be flushed. */
  immutables: number
  level0Tables: number
}

/**
 * Milliseconds a writer pauses for each MiB it writes: nothing while the background keeps up, then more with every step it
 * falls behind, so that writers slow to its pace by themselves and never stop for seconds.
 */
export function delayPerMiB({ immutables, level0Tables }: WriteDebt): number {
  // Up to where writers all but stop: memtables are memory, and small ones fill faster than a slow disk takes them.
  const flushDelay = immutables <= 1 ? 0 : Math.min(5000, 3 ** (immutables - 1))
  const compactionDelay = level0Tables <= 8 ? 0 : Math.min(50, (level0Tables - 8) * 2)
  return Math.max(flushDelay, compactionDelay)
}
