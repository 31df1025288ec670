import type { Violation } from './history.js'
import type { Plan } from './plan.js'
import { shrinkList } from './shrink.js'

export interface ShrunkPlan {
  readonly plan: Plan
  readonly runs: number
}

/**
 * Leaves out faults and operations as long as the same checker still complains. `run` judges one plan. Two rounds, as fewer
 * operations may make another fault superfluous; at most about `runsMax` runs.
 */
export async function shrinkPlan(
  plan: Plan,
  checker: string,
  run: (plan: Plan) => Promise<readonly Violation[]>,
  runsMax: number,
): Promise<ShrunkPlan> {
  let runs = 0
  const fails = async (candidate: Plan) => {
    runs++
    return (await run(candidate)).some((violation) => violation.checker === checker)
  }
  let least = plan
  for (let round = 0; round < 2; round++) {
    const share = runsMax / 4
    const faults = await shrinkList(least.faults, (faults) => fails({ ...least, faults }), share)
    least = { ...least, faults }
    const operations = await shrinkList(least.operations, (operations) => fails({ ...least, operations }), share)
    least = { ...least, operations }
  }
  return { plan: least, runs }
}
