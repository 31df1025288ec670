import type { DeliberateBug } from '@caskade/cluster'
import { expect, test } from 'vitest'
import { caskadeCluster } from './caskade-cluster.js'
import type { Plan, PlannedOperation } from './plan.js'
import { simulationRun } from './simulation-run.js'
import { drawPlan } from './swarm-policy.js'

interface Hunt {
  readonly bug: DeliberateBug
  /** It is found within so many seeds, from 1 on. */
  readonly seeds: number
  readonly nodes: number
  /** Only these faults: those that bring it out. Absent: all. */
  readonly faults?: readonly string[]
  /** All of them in every run. */
  readonly always?: true
  readonly aim?: (plan: Plan) => Plan
}

const each =
  (aim: (operation: PlannedOperation) => PlannedOperation) =>
  (plan: Plan): Plan => ({ ...plan, operations: plan.operations.map(aim) })

/** Everybody at two keys. */
const contended = each((operation) => ({
  ...operation,
  keys: [operation.keys[0]!.replace(/\d+/, (place) => String(Number(place) % 2))],
}))
const slowDisks = (plan: Plan): Plan => ({ ...plan, syncMs: [20, 300] })
/** Every other put deletes. */
const deleting = each((operation) => {
  const { kind, bucket, number } = operation
  const deletes = kind === 'put' && bucket.rule !== 'union' && number % 2 === 0
  return { ...operation, kind: deletes ? 'delete' : kind, level: 'quorum' }
})

const hunts: Hunt[] = [
  { bug: 'sibling-dropped-on-merge', seeds: 10, nodes: 10 },
  { bug: 'read-repair-without-write-back', seeds: 30, nodes: 10 },
  { bug: 'late-reply-counted', seeds: 20, nodes: 4, faults: ['pause', 'delay'] },
  { bug: 'ack-before-write', seeds: 80, nodes: 3, faults: ['power-cut'] },
  { bug: 'ballot-reused', seeds: 10, nodes: 5, faults: ['voters', 'leave'] },
  {
    bug: 'replica-overwrites',
    seeds: 10,
    nodes: 4,
    faults: ['loss', 'delay', 'partition-full'],
    always: true,
    aim: contended,
  },
  {
    bug: 'hint-counts-strictly',
    seeds: 20,
    nodes: 5,
    faults: ['partition-full', 'partition-one-way'],
    always: true,
    aim: contended,
  },
  { bug: 'wall-clock-stamps', seeds: 30, nodes: 3, faults: ['clock-jump'], always: true, aim: contended },
  { bug: 'chosen-by-new-voters-only', seeds: 20, nodes: 5, faults: ['voters', 'leave', 'join'], always: true },
  {
    bug: 'acceptor-answers-early',
    seeds: 10,
    nodes: 3,
    faults: ['voters', 'power-cut', 'crash-on-adopt'],
    always: true,
    aim: slowDisks,
  },
  {
    bug: 'epoch-not-bumped',
    seeds: 20,
    nodes: 3,
    faults: ['crash', 'crash-many', 'power-cut'],
    always: true,
    aim: (plan) => contended(slowDisks(plan)),
  },
  {
    bug: 'tombstone-collected-by-age',
    seeds: 10,
    nodes: 4,
    faults: ['partition-full', 'partition-one-way'],
    always: true,
    aim: (plan) => contended(deleting(plan)),
  },
]

function planOf({ bug, nodes, faults, always, aim = (plan) => plan }: Hunt, seed: number): Plan {
  const chosen = faults === undefined ? {} : { faults }
  return aim(drawPlan({ seed, nodes, bugs: [bug], ...chosen, ...(always ? { faultChance: 1 } : {}) }))
}

const violations = async (plan: Plan) => (await simulationRun(plan, { cluster: caskadeCluster })).violations

test.each(hunts)('$bug is found within $seeds seeds, and not without it', { timeout: 600_000 }, async (hunt) => {
  for (let seed = 1; seed <= hunt.seeds; seed++) {
    const plan = planOf(hunt, seed)
    if ((await violations(plan)).length === 0) continue
    expect(await violations({ ...plan, bugs: [] }), `seed ${seed} without the bug`).toEqual([])
    return
  }
  expect.fail(`no violation in ${hunt.seeds} seeds`)
})
