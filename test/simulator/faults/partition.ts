import { defineFault, someNodes } from '../fault.js'
import { type Link, linkOf } from '../network.js'

/** All directed links from one side to another. */
function between(from: readonly number[], to: readonly number[]): Link[] {
  return from.flatMap((a) => to.filter((b) => b !== a).map((b) => linkOf(a, b)))
}

const others = (nodes: number, side: readonly number[]) =>
  Array.from({ length: nodes }, (_, index) => index).filter((index) => !side.includes(index))

/** Two sides that do not hear each other. */
export const fullPartition = defineFault<{ side: number[] }>({
  name: 'partition-full',
  durationMaxMs: 8000,
  draw: (random, { nodes }) => ({ side: someNodes(random, nodes) }),
  begin(world, { side }) {
    const rest = others(world.nodes.length, side)
    return world.network.cut(new Set([...between(side, rest), ...between(rest, side)]))
  },
})

/** One side hears the other, and is not heard. */
export const oneWayPartition = defineFault<{ side: number[] }>({
  name: 'partition-one-way',
  durationMaxMs: 8000,
  draw: (random, { nodes }) => ({ side: someNodes(random, nodes) }),
  begin: (world, { side }) => world.network.cut(new Set(between(side, others(world.nodes.length, side)))),
})

/** Two sides that only one node still connects. */
export const bridge = defineFault<{ side: number[]; bridge: number }>({
  name: 'partition-bridge',
  durationMaxMs: 8000,
  draw: (random, { nodes }) => ({ side: someNodes(random, nodes), bridge: random.between(0, nodes) }),
  begin(world, { side, bridge }) {
    const left = side.filter((node) => node !== bridge)
    const right = others(world.nodes.length, side).filter((node) => node !== bridge)
    return world.network.cut(new Set([...between(left, right), ...between(right, left)]))
  },
})

/** A partition that comes and goes. */
export const flapping = defineFault<{ side: number[]; periodMs: number }>({
  name: 'partition-flapping',
  durationMaxMs: 8000,
  draw: (random, { nodes }) => ({ side: someNodes(random, nodes), periodMs: random.between(20, 800) }),
  begin(world, { side, periodMs }) {
    const rest = others(world.nodes.length, side)
    const links = new Set([...between(side, rest), ...between(rest, side)])
    let heal: (() => void) | undefined = world.network.cut(links)
    let over = false
    const flap = () => {
      if (over) return
      if (heal === undefined) heal = world.network.cut(links)
      else {
        heal()
        heal = undefined
      }
      world.after(periodMs, flap)
    }
    world.after(periodMs, flap)
    return () => {
      over = true
      heal?.()
    }
  },
})
