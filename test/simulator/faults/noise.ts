import type { SeededRandom } from '../../seeded-random.js'
import { defineFault, type FaultKind, type FaultOptions, someNodes } from '../fault.js'
import { linkOf, type Noise } from '../network.js'

const quiet: Noise = { loss: 0, duplicate: 0, reorder: 0, delay: 0, delayMs: 0 }

/** Links from and to some of the nodes get bad in one way. */
function noise(name: string, draw: (random: SeededRandom, options: FaultOptions) => Partial<Noise>): FaultKind {
  return defineFault<{ nodes: number[]; noise: Noise }>({
    name,
    durationMaxMs: 12_000,
    draw: (random, options) => ({
      nodes: someNodes(random, options.nodes),
      noise: { ...quiet, ...draw(random, options) },
    }),
    begin(world, { nodes, noise }) {
      const links = nodes.flatMap((a) => world.nodes.flatMap((_, b) => [linkOf(a, b), linkOf(b, a)]))
      return world.network.disturb(new Set(links), noise)
    },
  })
}

export const loss = noise('loss', (random, { intensity }) => ({ loss: random.next() * 0.4 * intensity }))
export const duplication = noise('duplication', (random, { intensity }) => ({
  duplicate: random.next() * 0.5 * intensity,
}))
export const reordering = noise('reordering', (random, { intensity }) => ({
  reorder: random.next() * 0.8,
  delay: random.next() * 0.5,
  delayMs: 5 + random.next() * 100 * intensity,
}))
export const delay = noise('delay', (random, { intensity }) => ({
  delay: random.next(),
  delayMs: 10 + random.next() * 3000 * intensity,
}))
