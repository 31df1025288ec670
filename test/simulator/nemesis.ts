import type { PlannedFault } from './fault.js'
import { faultKinds } from './faults/all-faults.js'
import type { World } from './world.js'

/** Injects the faults of a plan at their times, and ends them at theirs, or all at once. */
export class Nemesis {
  /** How many of each kind were injected. */
  readonly injected: Record<string, number> = {}
  /** Of any key, nodes whose synced copy was damaged: never more than one. */
  damagedNodes = 0
  readonly #world: World
  readonly #ends = new Set<() => void>()
  #healed = false

  constructor(world: World, faults: readonly PlannedFault[]) {
    this.#world = world
    for (const fault of faults) world.at(fault.atMs, () => this.#begin(fault))
  }

  heal(): void {
    this.#healed = true
    for (const end of [...this.#ends]) end()
    for (const node of this.#world.nodes) node.start()
    this.#world.trace.say(this.#world.nowMs, 'every fault has ended')
  }

  #begin({ kind, durationMs, details }: PlannedFault): void {
    if (this.#healed) return
    const fault = faultKinds.get(kind)
    if (fault === undefined) throw new RangeError(`unknown fault ${kind}`)
    const world = this.#world
    world.trace.say(world.nowMs, `fault ${kind} for ${durationMs} ms: ${JSON.stringify(details)}`)
    this.injected[kind] = (this.injected[kind] ?? 0) + 1
    if (fault.damages) this.damagedNodes = 1
    const stop = fault.begin(world, details, durationMs)
    const end = () => {
      if (!this.#ends.delete(end)) return
      stop()
      world.trace.say(world.nowMs, `fault ${kind} ends`)
    }
    this.#ends.add(end)
    world.after(durationMs, end)
  }
}
