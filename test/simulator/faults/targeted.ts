import type { SeededRandom } from '../../seeded-random.js'
import { defineFault } from '../fault.js'
import type { Moment, World } from '../world.js'

/** At the next such moment, so much later, those machines lose power; they are back when the fault ends. */
function crashAt(world: World, delayMs: number, whom: (moment: Moment) => readonly number[] | undefined): () => void {
  let crashed: readonly number[] = []
  let isOver = false
  const stop = world.watch((moment) => {
    const nodes = whom(moment)
    if (nodes === undefined) return
    stop()
    world.after(delayMs, () => {
      // Nobody would start them again.
      if (isOver) return
      crashed = nodes
      for (const node of nodes) world.nodes[node]!.crash()
    })
  })
  return () => {
    isOver = true
    stop()
    for (const node of crashed) world.nodes[node]!.start()
  }
}

/** Now, or a moment later: what is acknowledged must be kept from the first instant. */
const drawDelay = (random: SeededRandom) => random.pick([0, 0, 0.1, 2])

/** Power fails where a write has just been acknowledged: at all owners of its key, or at one. */
export const crashOnAcknowledgement = defineFault<{ owner: number | 'all'; delayMs: number }>({
  name: 'crash-on-ack',
  durationMaxMs: 3000,
  draw: (random) => ({ owner: random.chance(0.4) ? 'all' : random.between(0, 3), delayMs: drawDelay(random) }),
  begin: (world, { owner, delayMs }) =>
    crashAt(world, delayMs, (moment) => {
      if (moment.type !== 'acknowledged') return undefined
      const owners = world.options.owners(world, moment.bucket, moment.key)
      return owner === 'all' ? owners : owners.slice(owner, owner + 1)
    }),
})

/** Power fails everywhere when the first node has heard of a new topology. */
export const crashOnAdoption = defineFault<{ delayMs: number }>({
  name: 'crash-on-adopt',
  durationMaxMs: 3000,
  draw: (random) => ({ delayMs: drawDelay(random) }),
  begin: (world, { delayMs }) =>
    crashAt(world, delayMs, (moment) =>
      moment.type === 'new-epoch' ? world.nodes.map(({ index }) => index) : undefined,
    ),
})
