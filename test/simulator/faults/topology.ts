import { movesWanted, type TopologyChange } from '@caskade/cluster'
import type { SeededRandom } from '../../seeded-random.js'
import { defineFault } from '../fault.js'
import { nodesMax } from '../network.js'
import type { World } from '../world.js'

/** Names one change through all its tries. */
const drawId = (random: SeededRandom) =>
  [0, 1].map(() => random.between(0, 0x1_0000_0000).toString(16).padStart(8, '0')).join('')

const changeMs = 1500
const unsettled: readonly string[] = ['CASKADE_UNCERTAIN', 'CASKADE_UNAVAILABLE', 'CASKADE_OVERLOADED']

/** As an administrator who insists: through one node after the other, under one id, until an answer settles it. */
function change(world: World, change: TopologyChange, changeId: string, through: number): void {
  let triesLeft = 10
  const attempt = (index: number) => {
    if (triesLeft-- === 0) return
    const node = world.nodes[index % world.nodes.length]!
    const again = () => world.after(200, () => attempt(index + 1))
    const asked = node.change(change, changeId, changeMs, (result) => {
      const answer = result === undefined ? 'no answer' : result.status === 'ok' ? `epoch ${result.epoch}` : result.code
      world.trace.say(world.nowMs, `change ${changeId} ${change.type} through node ${node.index}: ${answer}`)
      if (result === undefined || (result.status === 'error' && unsettled.includes(result.code))) again()
    })
    if (!asked) again()
  }
  attempt(through)
}

/** An empty machine asks to be let in, and stays. */
export const join = defineFault<Record<string, never>>({
  name: 'join',
  durationMaxMs: 1,
  draw: () => ({}),
  begin(world) {
    if (world.nodes.length < nodesMax) world.addNode().start()
    return () => {}
  },
})

/**
 * Where a disk may be lost as well, three voters must be left, whatever departures are still under way: two, of which one is lost, are no majority, and a
 * change that made them the voters would stay in doubt for ever.
 */
function leavesVoters(world: World): boolean {
  if (!world.options.losesDisks) return true
  const up = world.topology?.members.filter(({ state }) => state === 'up') ?? []
  return up.length - world.departures++ > 4
}

/** A member is told to leave, or is declared dead; it owns what it owns until that has moved. */
export const leave = defineFault<{ chosen: number; dead: boolean; id: string; through: number }>({
  name: 'leave',
  durationMaxMs: 1,
  draw: (random, { nodes }) => ({
    chosen: random.between(0, 1000),
    dead: random.chance(0.3),
    id: drawId(random),
    through: random.between(0, nodes),
  }),
  begin(world, { chosen, dead, id, through }) {
    const present = world.topology?.members.filter(({ state }) => state === 'joining' || state === 'up') ?? []
    // Most of the first ones stay: a cluster that everybody leaves is another subject.
    if (present.length <= 4 || !leavesVoters(world)) return () => {}
    const { number } = present[chosen % present.length]!
    change(world, { type: dead ? 'remove' : 'leave', member: number }, id, through)
    return () => {}
  },
})

/** Others are to hold the register; several administrators may want so at once. */
export const voters = defineFault<{ rivals: { chosen: number[]; id: string; through: number }[] }>({
  name: 'voters',
  durationMaxMs: 1,
  draw: (random, { nodes }) => ({
    rivals: Array.from({ length: random.between(1, 4) }, () => ({
      chosen: Array.from({ length: random.pick([1, 3, 3, 5]) }, () => random.between(0, 1000)),
      id: drawId(random),
      through: random.between(0, nodes),
    })),
  }),
  begin(world, { rivals }) {
    const up = world.topology?.members.filter(({ state }) => state === 'up') ?? []
    if (up.length === 0) return () => {}
    for (const { chosen, id, through } of rivals) {
      const numbers = [...new Set(chosen.map((each) => up[each % up.length]!.number))]
      // A disk that is lost must never be the majority.
      if (world.options.losesDisks && numbers.length < 3) continue
      change(world, { type: 'setVoters', voters: numbers }, id, through)
    }
    return () => {}
  },
})

/** Partitions set out for other owners, and the move is called off again. */
export const abortedMove = defineFault<{ partitions: number; ids: string[]; through: number }>({
  name: 'move-aborted',
  durationMaxMs: 8000,
  draw: (random, { nodes }) => ({
    partitions: random.between(1, 17),
    ids: [drawId(random), drawId(random)],
    through: random.between(0, nodes),
  }),
  begin(world, { partitions: count, ids: [start, abort], through }) {
    const wanted = world.topology === undefined ? [] : movesWanted(world.topology)
    const partitions = wanted.slice(0, count)
    if (partitions.length === 0) return () => {}
    change(world, { type: 'moves', step: 'start', partitions }, start!, through)
    return () => change(world, { type: 'moves', step: 'abort', partitions }, abort!, through + 1)
  },
})
