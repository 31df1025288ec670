import type { DeliberateBug } from '@caskade/cluster'
import { caskadeCluster } from './caskade-cluster.js'
import type { MakeCluster } from './cluster-under-test.js'
import { engineDisks } from './engine-disk.js'
import { faultKinds } from './faults/all-faults.js'
import type { Violation } from './history.js'
import { naiveCluster } from './naive-cluster.js'
import type { Plan } from './plan.js'
import { simulationRun, type Verdict } from './simulation-run.js'
import { drawPlan } from './swarm-policy.js'
import { type MakeDisk, modelDisk } from './world.js'

/** What decides a run, beside its seed. Plain data: it goes to worker threads as it is. */
export interface SeedRunOptions {
  readonly nodes: number
  readonly cluster: 'caskade' | 'naive'
  readonly bugs: readonly DeliberateBug[]
  /** Kinds of fault that may be drawn; undefined: all. */
  readonly faults: readonly string[] | undefined
  /** What is under the nodes: maps, or the engine on files in memory that lose power. */
  readonly fidelity: Fidelity
}

/** `engine`: of either kind, drawn for each node. */
export type Fidelity = 'model' | 'engine' | 'lsm' | 'bitcask'

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

/** By fidelity: what its disk cannot do. */
const withoutFaults: Record<Fidelity, readonly string[]> = {
  model: [],
  engine: ['disk-full'],
  lsm: ['disk-full'],
  bitcask: ['disk-full', 'bit-rot'],
}
const makeDisks: Record<Fidelity, MakeDisk> = {
  model: modelDisk,
  engine: engineDisks(undefined),
  lsm: engineDisks('lsm'),
  bitcask: engineDisks('bitcask'),
}

export const isFidelity = (name: string): name is Fidelity => Object.hasOwn(makeDisks, name)

export function planOf(seed: number, { nodes, bugs, faults, fidelity }: SeedRunOptions): Plan {
  const possible = (faults ?? [...faultKinds.keys()]).filter((name) => !withoutFaults[fidelity].includes(name))
  return drawPlan({ seed, nodes, bugs, faults: possible })
}

export function runPlan(
  plan: Plan,
  { cluster, fidelity }: SeedRunOptions,
  say?: (line: string) => void,
): Promise<Verdict> {
  const makeDisk = makeDisks[fidelity]
  return simulationRun(plan, { cluster: clusters[cluster], makeDisk, ...(say === undefined ? {} : { say }) })
}

export async function runSeed(seed: number, options: SeedRunOptions): Promise<SeedSummary> {
  const { plan, violations, counts, traceHash } = await runPlan(planOf(seed, options), options)
  return { seed, features: plan.features, violations, counts, traceHash }
}
