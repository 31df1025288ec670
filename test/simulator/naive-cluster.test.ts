import { expect, test } from 'vitest'
import { naiveCluster } from './naive-cluster.js'
import type { Plan } from './plan.js'
import { shrinkPlan } from './plan-shrink.js'
import { simulationRun } from './simulation-run.js'
import { drawPlan } from './swarm-policy.js'

const plan = (seed: number) => drawPlan({ seed, nodes: 5 })
const run = (plan: Plan) => simulationRun(plan, { cluster: naiveCluster })

test('a naive cluster is found out, by every checker that it can be', async () => {
  const found = new Set<string>()
  for (let seed = 1; seed <= 25; seed++)
    for (const { checker } of (await run(plan(seed))).violations) found.add(checker)
  expect([...found]).toEqual(expect.arrayContaining(['expired-reads', 'lost-writes', 'session-reads', 'stale-reads']))
})

test('the same plan gives the same run to the last byte, another seed another', async () => {
  const hashes = new Set<string>()
  for (let seed = 1; seed <= 5; seed++) {
    const { traceHash } = await run(plan(seed))
    expect((await run(plan(seed))).traceHash).toBe(traceHash)
    hashes.add(traceHash)
  }
  expect(hashes.size).toBe(5)
})

test('tracing changes nothing', async () => {
  const lines: string[] = []
  const traced = await simulationRun(plan(3), { cluster: naiveCluster, say: (line) => lines.push(line) })
  expect(traced.traceHash).toBe((await run(plan(3))).traceHash)
  expect(lines.length).toBeGreaterThan(100)
})

test('a failing plan is shrunk to the few operations and faults that it takes', async () => {
  let failing: Plan | undefined
  for (let seed = 1; failing === undefined; seed++)
    if ((await run(plan(seed))).violations.some(({ checker }) => checker === 'lost-writes')) failing = plan(seed)
  const shrunk = await shrinkPlan(failing, 'lost-writes', async (each) => (await run(each)).violations, 400)
  expect((await run(shrunk.plan)).violations.map(({ checker }) => checker)).toContain('lost-writes')
  expect(shrunk.plan.operations.length).toBeLessThan(5)
  expect(shrunk.plan.faults.length).toBeLessThan(3)
})
