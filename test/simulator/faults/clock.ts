import { defineFault } from '../fault.js'

/** A wall clock steps, forwards or back, by milliseconds or by hours, and steps back in the end. */
export const clockJump = defineFault<{ node: number; byMs: number }>({
  name: 'clock-jump',
  durationMaxMs: 20_000,
  draw: (random, { nodes, intensity }) => {
    const sizes = [50, 1000, 4000, 60_000, 7_200_000]
    const size = sizes[random.between(0, 1 + Math.floor(intensity * 4.99))]!
    return { node: random.between(0, nodes), byMs: Math.floor((random.next() * 2 - 1) * size) }
  },
  begin(world, { node, byMs }) {
    world.nodes[node]!.jumpClock(byMs)
    return () => world.nodes[node]!.jumpClock(-byMs)
  },
})
