import { expect, test } from 'vitest'
import { createTopology } from '../coordination/create-topology.js'
import type { Topology } from '../coordination/topology.js'
import { changeTopology } from '../coordination/topology-change.js'
import { driverOf, type MoveView, nextMoveStep } from './move-policy.js'

const nodes = Array.from({ length: 4 }, (_, i) => ({ id: `000000000000000${i}`, host: `h${i}`, zone: '', address: '' }))
const rest: Topology = {
  ...createTopology({ nodes, partitions: 4 }),
  claim: [0, 1, 2, 3].map(() => [1, 2, 3]),
  target: [0, 1, 2, 3].map(() => [1, 2, 3]),
}
const wanted: Topology = { ...rest, target: [[1, 2, 4], [2, 3, 4], ...rest.target.slice(2)] }
const view = (ready: Record<number, number[]> = {}, dead: number[] = []): MoveView => ({
  lives: (member) => !dead.includes(member),
  ready: (partition) => new Set(ready[partition]),
})
const after = (topology: Topology, ...views: MoveView[]) =>
  views.reduce((each, seen, i) => {
    const outcome = changeTopology(each, nextMoveStep(each, seen)!, `${i}`.padStart(16, '0'))
    if (outcome.status !== 'changed') throw new Error(outcome.status)
    return outcome.topology
  }, topology)

test('nothing to do', () => {
  expect(nextMoveStep(rest, view())).toBeUndefined()
})

test('as many start as there is room for, and only towards the living', () => {
  expect(nextMoveStep(wanted, view())).toEqual({ type: 'moves', step: 'start', partitions: [0, 1] })
  const one = { ...wanted, settings: { ...wanted.settings, movesMax: 1 } }
  expect(nextMoveStep(one, view())).toEqual({ type: 'moves', step: 'start', partitions: [0] })
  expect(nextMoveStep(wanted, view({}, [4]))).toBeUndefined()
})

test('reads change over when each new owner has everything', () => {
  const moving = after(wanted, view())
  expect(nextMoveStep(moving, view({ 0: [1, 2], 1: [2, 3] }))).toBeUndefined()
  expect(nextMoveStep(moving, view({ 0: [1, 2, 4], 1: [2, 3] }))).toEqual({
    type: 'moves',
    step: 'advance',
    partitions: [0],
  })
})

test('the old owners go when all know of it, but for those that leave and are dead', () => {
  const moving = after(wanted, view(), view({ 1: [2, 3, 4] }))
  const ready = { 1: [2, 3, 4] }
  expect(nextMoveStep(moving, view(ready))).toBeUndefined()
  expect(nextMoveStep(moving, view(ready, [1]))).toBeUndefined()
  expect(nextMoveStep(moving, view({ 1: [1, 2, 3, 4] }))).toEqual({ type: 'moves', step: 'finish', partitions: [1] })
  const leaving: Topology = {
    ...moving,
    members: moving.members.map((each) => (each.number === 1 ? { ...each, state: 'leaving' } : each)),
  }
  expect(nextMoveStep(leaving, view(ready))).toBeUndefined()
  expect(nextMoveStep(leaving, view(ready, [1]))).toEqual({ type: 'moves', step: 'finish', partitions: [1] })
})

test('a move to where the partition no longer belongs is given up', () => {
  const moving = after(wanted, view())
  expect(nextMoveStep({ ...moving, target: rest.target }, view())).toEqual({
    type: 'moves',
    step: 'abort',
    partitions: [0, 1],
  })
})

test('the first that is up and lives drives', () => {
  expect(driverOf(rest, () => true)).toBe(1)
  expect(driverOf(rest, (member) => member > 2)).toBe(3)
  expect(driverOf(rest, () => false)).toBeUndefined()
})
