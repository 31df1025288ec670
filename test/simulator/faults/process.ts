import { defineFault, someNodes } from '../fault.js'

/** Power cut of one machine, and its return: un-synced data is lost, or a part of it. */
export const crash = defineFault<{ node: number }>({
  name: 'crash',
  durationMaxMs: 6000,
  draw: (random, { nodes }) => ({ node: random.between(0, nodes) }),
  begin(world, { node }) {
    world.nodes[node]!.crash()
    return () => world.nodes[node]!.start()
  },
})

/** Several at once, or all of them. */
export const massCrash = defineFault<{ nodes: number[] }>({
  name: 'crash-many',
  durationMaxMs: 3000,
  draw: (random, { nodes }) => ({
    nodes: random.chance(0.3) ? Array.from({ length: nodes }, (_, i) => i) : someNodes(random, nodes),
  }),
  begin(world, { nodes }) {
    for (const node of nodes) world.nodes[node]!.crash()
    return () => {
      for (const node of nodes) world.nodes[node]!.start()
    }
  },
})

/** The whole cluster loses power, and gets it back. */
export const powerCut = defineFault<Record<string, never>>({
  name: 'power-cut',
  durationMaxMs: 1000,
  draw: () => ({}),
  begin(world) {
    for (const node of world.nodes) node.crash()
    return () => {
      for (const node of world.nodes) node.start()
    }
  },
})

/** An orderly stop and start, as in a rolling upgrade. */
export const restart = defineFault<{ node: number }>({
  name: 'restart',
  durationMaxMs: 2000,
  draw: (random, { nodes }) => ({ node: random.between(0, nodes) }),
  begin(world, { node }) {
    world.nodes[node]!.stop()
    return () => world.nodes[node]!.start()
  },
})

/** SIGSTOP and SIGCONT, or a very long collection of garbage. */
export const pause = defineFault<{ node: number }>({
  name: 'pause',
  durationMaxMs: 10_000,
  draw: (random, { nodes }) => ({ node: random.between(0, nodes) }),
  begin(world, { node }) {
    world.nodes[node]!.pause()
    return () => world.nodes[node]!.resume()
  },
})
