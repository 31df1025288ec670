import type { DeliberateBug } from '@caskade/cluster'
import { expect, test } from 'vitest'
import { caskadeCluster } from './caskade-cluster.js'
import { simulationRun } from './simulation-run.js'
import { drawPlan } from './swarm-policy.js'

interface Hunt {
  readonly bug: DeliberateBug
  /** It is found within so many seeds, from 1 on. */
  readonly seeds: number
  readonly nodes: number
  /** Only these faults: those that bring it out. Absent: all. */
  readonly faults?: readonly string[]
}

const hunts: Hunt[] = [
  { bug: 'sibling-dropped-on-merge', seeds: 10, nodes: 10 },
  { bug: 'read-repair-without-write-back', seeds: 30, nodes: 10 },
  { bug: 'replica-overwrites', seeds: 50, nodes: 10 },
  { bug: 'late-reply-counted', seeds: 20, nodes: 4, faults: ['pause', 'delay'] },
  { bug: 'hint-counts-strictly', seeds: 50, nodes: 5, faults: ['partition-full', 'partition-one-way'] },
  { bug: 'wall-clock-stamps', seeds: 60, nodes: 3, faults: ['clock-jump'] },
  { bug: 'ack-before-write', seeds: 80, nodes: 3, faults: ['power-cut'] },
  { bug: 'ballot-reused', seeds: 10, nodes: 5, faults: ['voters', 'leave'] },
  { bug: 'chosen-by-new-voters-only', seeds: 20, nodes: 5, faults: ['voters', 'leave'] },
]

test.each(hunts)('$bug is found within $seeds seeds', { timeout: 180_000 }, async (hunt) => {
  const { bug, seeds, nodes, faults } = hunt
  for (let seed = 1; seed <= seeds; seed++) {
    const plan = drawPlan({ seed, nodes, bugs: [bug], ...(faults === undefined ? {} : { faults }) })
    const { violations } = await simulationRun(plan, { cluster: caskadeCluster })
    if (violations.length > 0) return
  }
  expect.fail(`no violation in ${seeds} seeds`)
})
