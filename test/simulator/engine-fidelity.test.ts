import { expect, test } from 'vitest'
import { planOf, runPlan, type SeedRunOptions } from './seed-run.js'

const options: SeedRunOptions = { nodes: 5, cluster: 'caskade', bugs: [], faults: undefined, fidelity: 'engine' }
const run = (seed: number) => runPlan(planOf(seed, options), options)

// The short form of `npm run sim -- --fidelity engine`.
test('nodes over the engine keep every promise under faults', { timeout: 600_000 }, async () => {
  for (let seed = 1; seed <= 6; seed++)
    expect((await run(seed)).violations, `npm run -s sim -- --fidelity engine --nodes 5 --seed ${seed}`).toEqual([])
})

test('the same seed gives the same run over the engine, too', { timeout: 600_000 }, async () => {
  for (const seed of [1]) {
    const { traceHash, history } = await run(seed)
    const again = await run(seed)
    expect(again.traceHash).toBe(traceHash)
    expect(again.history).toEqual(history)
  }
})

test('owners whose tables rot rebuild them from each other', { timeout: 600_000 }, async () => {
  const rotting: SeedRunOptions = { ...options, fidelity: 'lsm', faults: ['bit-rot', 'crash'] }
  for (const seed of [19, 39]) {
    const { violations, counts } = await runPlan(planOf(seed, rotting), rotting)
    expect(violations).toEqual([])
    expect(counts['event.partition-healed'], `nothing was healed with seed ${seed}: take another`).toBeGreaterThan(0)
  }
})

test('what the engine lost is seen: acknowledged before it was durable', { timeout: 600_000 }, async () => {
  for (const fidelity of ['lsm', 'bitcask'] as const) {
    const buggy: SeedRunOptions = {
      ...options,
      fidelity,
      nodes: 3,
      bugs: ['ack-before-write'],
      faults: ['crash-on-ack'],
    }
    let found = false
    // Those before find nothing.
    for (let seed = 50; seed <= 60 && !found; seed++)
      found = (await runPlan(planOf(seed, buggy), buggy)).violations.length > 0
    expect(found, `no violation up to seed 60 over ${fidelity}`).toBe(true)
  }
})
