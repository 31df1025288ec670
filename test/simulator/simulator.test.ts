import { expect, test } from 'vitest'
import { caskadeCluster } from './caskade-cluster.js'
import { simulationRun } from './simulation-run.js'
import { drawPlan } from './swarm-policy.js'

const run = (seed: number, nodes: number) => simulationRun(drawPlan({ seed, nodes }), { cluster: caskadeCluster })

// `npm test` runs a thousand seeds of ten nodes apart from these.
test('ten nodes keep every promise under faults', { timeout: 600_000 }, async () => {
  for (let seed = 1001; seed <= 1008; seed++)
    expect((await run(seed, 10)).violations, `npm run -s sim -- --seed ${seed}`).toEqual([])
})

test('three nodes, where every node owns every key', { timeout: 600_000 }, async () => {
  for (let seed = 1; seed <= 12; seed++)
    expect((await run(seed, 3)).violations, `npm run -s sim -- --nodes 3 --seed ${seed}`).toEqual([])
})

test('the same seed gives the same run, to the last byte', async () => {
  for (const seed of [1, 2]) {
    const { traceHash, history } = await run(seed, 10)
    const again = await run(seed, 10)
    expect(again.traceHash).toBe(traceHash)
    expect(again.history).toEqual(history)
  }
})
