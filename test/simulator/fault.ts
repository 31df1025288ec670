import type { SeededRandom } from '../seeded-random.js'
import type { World } from './world.js'

/** A fault of a plan: plain data, so that a plan can be printed, shrunk and replayed. */
export interface PlannedFault {
  readonly kind: string
  readonly atMs: number
  readonly durationMs: number
  readonly details: unknown
}

export interface FaultOptions {
  readonly nodes: number
  /** The only node of this run whose disk forgets what it has synced: more at a time would be more than W = 2 promises to bear. */
  readonly victim: number
  /**
   * In some runs another one forgets, too, of which the disk rots in other keys than the victim's: each key is damaged on one of them at most, which is as good as
   * one disk.
   */
  readonly second: number | undefined
  /** 0 to 1: how bad. */
  readonly intensity: number
}

interface TypedFault<Details> {
  readonly name: string
  /** How long, at most, one goes on, in milliseconds. */
  readonly durationMaxMs: number
  draw(random: SeededRandom, options: FaultOptions): Details
  /** Injects it and returns what ends it. */
  begin(world: World, details: Details, durationMs: number): () => void
  /** The victim's synced data may be gone afterwards. */
  readonly damages?: true
}

export type FaultKind = TypedFault<unknown>

/** One kind of fault: drawn as `Details`, injected from the same. */
export function defineFault<Details>(fault: TypedFault<Details>): FaultKind {
  return fault as FaultKind
}

/** Some of the nodes, at least one and not all. */
export function someNodes(random: SeededRandom, nodes: number): number[] {
  const all = Array.from({ length: nodes }, (_, index) => index)
  const count = random.between(1, Math.max(2, nodes))
  for (let i = 0; i < count; i++) {
    const other = random.between(i, nodes)
    const moved = all[i]!
    all[i] = all[other]!
    all[other] = moved
  }
  return all.slice(0, count).sort((a, b) => a - b)
}
