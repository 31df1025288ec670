import { expect, test } from 'vitest'
import type { NodeConfig } from '../node/node-config.js'
import type { KeyResult } from '../node/result.js'
import {
  defaultBucket,
  idOf,
  SmallCluster,
  type SmallClusterOptions,
  text,
  valuesOf,
} from '../testing/small-cluster.js'

/*
 * The network, or a process that slept, may keep a copy of a record for longer than it takes to delete its key, to repair its partition past the deletion and to
 * collect that everywhere. Whichever way the copy then comes, it brings nothing back.
 */

const config: Partial<NodeConfig> = { repairIntervalMs: 500, tombstoneGraceMs: 50, hintBytesMax: 1 << 20 }
const cluster = (options: SmallClusterOptions = {}) =>
  new SmallCluster({ ...options, config: { ...config, ...options.config } })
const remove = (of: SmallCluster, through: number) => of.answer(of.ask(through, { type: 'delete', key: text('key') }))
const isGone = (of: SmallCluster, ...members: number[]) =>
  members.every((member) => of.stored(member, 'key') === undefined)
/** What is on its way from one to the other, which now takes as long as the test likes. */
const taken = (of: SmallCluster, from: number, to: number) => {
  const frames = of.sent.filter((each) => each.from === from && each.to === to)
  of.sent.splice(0, of.sent.length, ...of.sent.filter((each) => !frames.includes(each)))
  return () => {
    for (const { frame } of frames) of.nodes[to]!.receive(idOf(from), frame, of.now())
    of.nodes[to]!.tick(of.now())
    return frames.length
  }
}
const contextOf = (result: KeyResult): Uint8Array => {
  if (result.status === 'error') throw new Error(result.message)
  return result.context
}

test('the write-back of a read', () => {
  const of = cluster({ nodes: 4, config: { hintBytesMax: 0 } })
  of.link = (from, to) => from !== 3 && to !== 3
  of.put(1, 'key', 'value')
  of.run(50)
  of.link = () => true
  // Through one that is no owner: 3 does not have it.
  const id = of.ask(4, { type: 'get', key: text('key'), level: 'all', deadlineMs: of.nowMs + 100 })
  of.run(2)
  const late = taken(of, 4, 3)
  of.run(200)
  expect(of.results.has(id)).toBe(true)
  remove(of, 1)
  of.run(5000)
  expect(isGone(of, 1, 2, 3)).toBe(true)
  expect(late()).toBe(1)
  expect(isGone(of, 3)).toBe(true)
  expect(of.get(4, 'key', { level: 'all' }).status).toBe('notFound')
})

test('a hint that its coordinator leaves behind, handed to other owners than it was kept for', () => {
  for (const claim of [
    [4, 1, 2],
    [1, 2, 4],
  ]) {
    const of = cluster({ nodes: 4, config: { resendIntervalMs: 3000 } })
    of.ask(1, { type: 'put', key: text('key'), value: text('value'), deadlineMs: of.nowMs + 10_000 })
    taken(of, 1, 3)
    of.run(100)
    expect(of.stored(3, 'key')).toBeUndefined()
    remove(of, 2)
    of.run(2500)
    expect(isGone(of, 1, 2, 3)).toBe(true)
    of.link = (_, to) => to !== 3
    of.run(1000)
    of.adopt({ ...of.topology, epoch: 2, claim: [claim], target: [claim], changedAt: [2] })
    of.run(3000)
    expect(isGone(of, ...claim), `handed to ${claim[0]}`).toBe(true)
    expect(of.get(2, 'key').status).toBe('notFound')
  }
})

test('a write that is still being acknowledged when the owners change', () => {
  const of = cluster({ nodes: 4, config: { resendIntervalMs: 8000 } })
  // No acknowledgement arrives.
  of.link = (_, to) => to !== 1
  of.ask(1, { type: 'put', key: text('key'), value: text('value'), deadlineMs: of.nowMs + 30_000 })
  of.run(20)
  of.link = () => true
  remove(of, 2)
  of.run(4000)
  expect(isGone(of, 1, 2, 3)).toBe(true)
  const claim = [[1, 2, 4]]
  of.adopt({ ...of.topology, epoch: 2, claim, target: claim, changedAt: [2] })
  of.run(2000)
  expect(isGone(of, 1, 2, 4)).toBe(true)
})

test('the answer to an owner that pulls', () => {
  const of = cluster({ config: { hintBytesMax: 0, repairIntervalMs: 100, tombstoneGraceMs: 0 } })
  of.link = () => false
  of.put(1, 'key', 'value'.repeat(200), { level: 'one' })
  of.link = () => true
  const listing = ({ from, to, frame }: { from: number; to: number; frame: Uint8Array }) =>
    from === 1 && to === 3 && frame.length > 1000
  for (let i = 0; i < 2000 && !of.sent.some(listing); i++) of.run(1)
  const late = taken(of, 1, 3)
  remove(of, 2)
  of.run(600)
  expect(isGone(of, 1, 2, 3)).toBe(true)
  expect(late()).toBe(1)
  expect(isGone(of, 3)).toBe(true)
})

test('a copy of what is newer than the last round is let in, as ever', () => {
  const of = cluster({ nodes: 4, config: { hintBytesMax: 0 } })
  of.run(2000)
  of.link = (from, to) => from !== 3 && to !== 3
  of.put(1, 'key', 'value')
  of.run(20)
  of.link = () => true
  expect(valuesOf(of.get(4, 'key', { level: 'all' }))).toEqual(['value'])
  of.run(5)
  expect(of.stored(3, 'key')).toBeDefined()
})

test('an owner that came with a larger n is no witness of what was collected, and is given what there is', () => {
  const two = { ...defaultBucket, n: 2, r: 1, w: 2 }
  const of = cluster({ buckets: [two] })
  const sessionContext = contextOf(of.put(1, 'key', 'value', { level: 'session' }))
  of.run(3000)
  const grown = { ...two, n: 3, r: 2, held: 2, grownAt: 2 }
  // Before anybody has compared anything.
  for (const node of of.nodes) node?.repair.rounds.adopt()
  of.adopt({ ...of.topology, epoch: 2, buckets: [grown], changedAt: [2] })
  expect(of.stored(3, 'key')).toBeUndefined()
  expect(valuesOf(of.get(3, 'key', { level: 'session', sessionContext }))).toEqual(['value'])
  of.run(5)
  expect(of.stored(3, 'key')).toBeDefined()
})
