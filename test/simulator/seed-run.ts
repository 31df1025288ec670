import type { DeliberateBug } from '@caskade/cluster'
import { caskadeCluster } from './caskade-cluster.js'
import type { MakeCluster } from './cluster-under-test.js'
import type { Violation } from './history.js'
import { naiveCluster } from './naive-cluster.js'
import type { Plan } from './plan.js'
import { simulationRun, type Verdict } from './simulation-run.js'
import { drawPlan } from './swarm-policy.js'

/** What decides a run, beside its seed. Plain data: it goes to worker threads as it is. */
export interface SeedRunOptions {
  readonly nodes: number
  readonly cluster: 'caskade' | 'naive'
  readonly bugs: readonly DeliberateBug[]
  /** Kinds of fault that may be drawn; undefined: all. */
  readonly faults: readonly string[] | undefined
}

/** Of one seed, for a line of output. */
export interface SeedSummary {
  readonly seed: number
  readonly features: readonly string[]
  readonly violations: readonly Violation[]
  readonly counts: Readonly<Record<string, number>>
  readonly traceHash: string
}

const clusters: Record<SeedRunOptions['cluster'], MakeCluster> = {
  caskade: caskadeCluster,
  naive: naiveCluster,
}

export function planOf(seed: number, { nodes, bugs, faults }: SeedRunOptions): Plan {
  return drawPlan({ seed, nodes, bugs, ...(faults === undefined ? {} : { faults }) })
}

export function runPlan(plan: Plan, { cluster }: SeedRunOptions, say?: (line: string) => void): Promise<Verdict> {
  return simulationRun(plan, { cluster: clusters[cluster], ...(say === undefined ? {} : { say }) })
}

export async function runSeed(seed: number, options: SeedRunOptions): Promise<SeedSummary> {
  const { plan, violations, counts, traceHash } = await runPlan(planOf(seed, options), options)
  return { seed, features: plan.features, violations, counts, traceHash }
}
