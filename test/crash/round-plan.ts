import type { Durability } from '@caskade/engine'
import type { SeededRandom } from '../seeded-random.js'

/** Everything random about one round. */
export interface RoundPlan {
  /** Of the operations that the writers send. */
  seed: number
  /** Begin with an empty directory: the first start is a crash window too. */
  freshDirectory: boolean
  /** Starts that are killed so many milliseconds after the process began, before the one that is left to finish. */
  killsDuringStartMs: number[]
  /** Once verified, stop in the ordinary way, start again and verify again. */
  restartCleanly: boolean
  killAfterMs: number
  writers: number
  /** Most operations in flight per writer. */
  depthMax: number
  memtableBytes: number
  durability: Durability
  mmap: 'auto' | 'off'
}

export const writersMax = 4
const MiB = 1024 * 1024

export function planRound(random: SeededRandom, first: boolean, killAfterMsMax: number): RoundPlan {
  const killsDuringStart = random.chance(0.3) ? random.between(1, 4) : 0
  return {
    seed: random.between(0, 0x1_0000_0000),
    freshDirectory: first || random.chance(0.15),
    killsDuringStartMs: Array.from({ length: killsDuringStart }, () => random.between(0, 500)),
    restartCleanly: random.chance(0.3),
    killAfterMs: random.between(0, killAfterMsMax),
    writers: random.between(1, writersMax + 1),
    depthMax: random.pick([1, 8, 64, 256]),
    // Small memtables keep flush and compaction at work all the time.
    memtableBytes: random.pick([MiB, MiB, 4 * MiB, 64 * MiB]),
    durability: random.pick(['os', 'os', 'os', 'interval', 'sync']),
    mmap: random.chance(0.25) ? 'off' : 'auto',
  }
}
