import { expect, test } from 'vitest'
import { RepairStamps } from '../convergence/repair-stamps.js'
import { defaultNodeConfig } from '../node/node-config.js'
import { idOf, SmallCluster, text, valuesOf } from '../testing/small-cluster.js'

const requestId = { high: 7, low: 9 }

test('a put is acknowledged when w owners have it durably, and not before', () => {
  const cluster = new SmallCluster({ slowStores: true })
  const id = cluster.ask(1, { type: 'put', key: text('k'), value: text('v') })
  cluster.run(10)
  expect(cluster.results.get(id)).toBeUndefined()
  // The owner's own copy alone is one.
  cluster.stores[1]!.becomeDurable()
  cluster.run(10)
  expect(cluster.results.get(id)).toBeUndefined()
  cluster.stores[3]!.becomeDurable()
  cluster.run(2)
  expect(cluster.results.get(id)).toMatchObject({ status: 'ok' })
})

test('with the bug, a replica acknowledges what a crash takes back', () => {
  const cluster = new SmallCluster({ slowStores: true, bugs: ['ack-before-write'] })
  cluster.stores[1]!.slow = false
  expect(cluster.put(1, 'k', 'v')).toMatchObject({ status: 'ok' })
  cluster.crash(2)
  expect(cluster.stored(2, 'k')).toBeUndefined()
})

test('only an owner mints: another node forwards, and passes on the answer', () => {
  const cluster = new SmallCluster({ nodes: 4, owners: [1, 2, 3] })
  expect(cluster.put(4, 'k', 'v')).toMatchObject({ status: 'ok', version: 1 })
  expect(cluster.stored(4, 'k')).toBeUndefined()
  expect(cluster.put(4, 'k', 'w')).toMatchObject({ version: 2 })
  expect(valuesOf(cluster.get(4, 'k'))).toEqual(['w'])
})

test('a forwarded write that nobody answers goes to the next owner, and is one write all the same', () => {
  const cluster = new SmallCluster({ nodes: 4, owners: [1, 2, 3] })
  // The answers get lost, the write does not.
  cluster.link = (from, to) => !(from === 1 && to === 4)
  const written = cluster.put(4, 'k', 'v', { bucket: 's' })
  expect(written).toMatchObject({ status: 'ok' })
  cluster.link = () => true
  expect(valuesOf(cluster.get(2, 'k', { bucket: 's' }))).toEqual(['v'])
})

test('a write that might have happened is uncertain, and a retry of it is the same write', () => {
  const cluster = new SmallCluster()
  cluster.link = (from, to) => !(from !== 1 && to === 1)
  const write = { bucket: 's', requestId, deadlineMs: cluster.nowMs + 100 }
  expect(cluster.put(1, 'k', 'v', write)).toMatchObject({ status: 'error', code: 'CASKADE_UNCERTAIN' })
  cluster.link = () => true
  const again = { bucket: 's', requestId }
  expect(cluster.put(1, 'k', 'v', again)).toMatchObject({ status: 'ok', version: 1 })
  expect(cluster.put(2, 'k', 'v', again)).toMatchObject({ status: 'ok', version: 1 })
  expect(valuesOf(cluster.get(3, 'k', { bucket: 's' }))).toEqual(['v'])
})

test('with the bug, a retry is minted twice', () => {
  const cluster = new SmallCluster({ bugs: ['retry-minted-twice'] })
  cluster.put(1, 'k', 'v', { bucket: 's', requestId })
  cluster.put(1, 'k', 'v', { bucket: 's', requestId })
  expect(valuesOf(cluster.get(3, 'k', { bucket: 's' }))).toEqual(['v', 'v'])
})

test('a retry does not come back over the write that has replaced it', () => {
  const cluster = new SmallCluster()
  cluster.put(1, 'k', 'first', { requestId })
  cluster.put(1, 'k', 'second')
  expect(cluster.put(1, 'k', 'first', { requestId })).toMatchObject({ status: 'ok', version: 2 })
  expect(valuesOf(cluster.get(2, 'k'))).toEqual(['second'])
})

test('too few owners alive: nothing is written, and that is said', () => {
  const cluster = new SmallCluster()
  cluster.verdicts.set(2, 'dead').set(3, 'dead')
  expect(cluster.put(1, 'k', 'v')).toMatchObject({ status: 'error', code: 'CASKADE_UNAVAILABLE' })
  expect(cluster.stored(1, 'k')).toBeUndefined()
  expect(cluster.put(1, 'k', 'v', { level: 'one' })).toMatchObject({ status: 'ok' })
})

test('a full disk is not hidden, and another owner mints instead', () => {
  const cluster = new SmallCluster({ nodes: 4, owners: [1, 2, 3] })
  cluster.stores[1]!.full = true
  expect(cluster.put(1, 'k', 'v')).toMatchObject({ status: 'ok' })
  expect(cluster.stored(1, 'k')).toBeUndefined()
  cluster.stores[2]!.full = true
  cluster.stores[3]!.full = true
  expect(cluster.put(4, 'other', 'v')).toMatchObject({ status: 'error', code: 'CASKADE_DISK_FULL' })
  for (const member of [1, 2, 3]) cluster.stores[member]!.full = false
  expect(cluster.put(4, 'other', 'v')).toMatchObject({ status: 'ok' })
})

test('a strict write does not count hints; with the bug it does', () => {
  for (const bug of [false, true]) {
    const cluster = new SmallCluster({ nodes: 5, owners: [1, 2, 3], bugs: bug ? ['hint-counts-strictly'] : [] })
    cluster.link = (from, to) => ![2, 3].includes(from) && ![2, 3].includes(to)
    const result = cluster.put(1, 'k', 'v')
    expect(result.status === 'error' && result.code).toBe(bug ? false : 'CASKADE_UNCERTAIN')
  }
})

test('eventual: fallbacks stand in for owners that are dead, and hand on what they keep', () => {
  const cluster = new SmallCluster({ nodes: 5, owners: [1, 2, 3] })
  cluster.verdicts.set(2, 'dead').set(3, 'dead')
  cluster.link = (from, to) => ![2, 3].includes(from) && ![2, 3].includes(to)
  expect(cluster.put(1, 'k', 'v', { level: 'eventual' })).toMatchObject({ status: 'ok' })
  expect(cluster.nodes[4]!.hints.targets.size + cluster.nodes[5]!.hints.targets.size).toBe(2)
  cluster.link = () => true
  cluster.verdicts.clear()
  cluster.run(3000)
  expect(cluster.stored(2, 'k')).toEqual(cluster.stored(1, 'k'))
  expect(cluster.stored(3, 'k')).toEqual(cluster.stored(1, 'k'))
  for (const node of cluster.nodes) expect(node?.hints.bytes ?? 0).toBe(0)
})

test('eventual: with every owner dead a fallback mints, twice, and forgets no dot', () => {
  const cluster = new SmallCluster({ nodes: 6, owners: [1, 2, 3] })
  for (const member of [1, 2, 3]) cluster.verdicts.set(member, 'dead')
  const dead = (member: number) => member <= 3
  cluster.link = (from, to) => !dead(from) && !dead(to)
  expect(cluster.put(5, 'k', 'one', { level: 'eventual', bucket: 's' })).toMatchObject({ status: 'ok' })
  const actor = cluster.nodes[5]!.epoch.actor
  cluster.verdicts.clear()
  cluster.link = () => true
  cluster.run(3000)
  expect(valuesOf(cluster.get(1, 'k', { bucket: 's' }))).toEqual(['one'])
  expect(cluster.nodes[5]!.hints.bytes).toBe(0)
  // What it minted is no longer here: a dot of the same epoch could be minted again.
  expect(cluster.nodes[5]!.epoch.actor).toBe(actor + 1)
})

test('conditions hold on what the minting owner has', () => {
  const cluster = new SmallCluster()
  const ifAbsent = { condition: { ifAbsent: true } }
  expect(cluster.put(1, 'k', 'a', ifAbsent)).toMatchObject({ status: 'ok', version: 1 })
  expect(cluster.put(2, 'k', 'b', ifAbsent)).toMatchObject({ code: 'CASKADE_CONDITION' })
  expect(cluster.put(2, 'k', 'c', { condition: { ifVersion: 1 } })).toMatchObject({ status: 'ok', version: 2 })
  expect(cluster.put(2, 'k', 'd', { condition: { ifVersion: 1 } })).toMatchObject({ code: 'CASKADE_CONDITION' })
  cluster.answer(cluster.ask(3, { type: 'delete', key: text('k') }))
  expect(cluster.put(1, 'k', 'e', ifAbsent)).toMatchObject({ status: 'ok' })
})

test('siblings: concurrent writes are both kept, a context replaces what it has seen', () => {
  const cluster = new SmallCluster()
  cluster.put(1, 'k', 'a', { bucket: 's' })
  cluster.put(2, 'k', 'b', { bucket: 's' })
  const read = cluster.get(3, 'k', { bucket: 's' })
  expect(valuesOf(read).toSorted()).toEqual(['a', 'b'])
  const context = read.status === 'ok' ? read.context : undefined
  cluster.put(3, 'k', 'ab', { bucket: 's', context })
  expect(valuesOf(cluster.get(1, 'k', { bucket: 's' }))).toEqual(['ab'])
})

test('a broken context, an unknown bucket, an impossible w are refused', () => {
  const cluster = new SmallCluster()
  const bad = { status: 'error', code: 'CASKADE_BAD_REQUEST' }
  expect(cluster.put(1, 'k', 'v', { context: text('made up') })).toMatchObject(bad)
  expect(cluster.put(1, 'k', 'v', { bucket: 'none' })).toMatchObject(bad)
  expect(cluster.put(1, 'k', 'v', { w: 4 })).toMatchObject(bad)
  expect(cluster.put(1, '', 'v')).toMatchObject(bad)
})

test('requests in flight are bounded', () => {
  const cluster = new SmallCluster({ config: { requestsInFlightMax: 4 } })
  cluster.link = () => false
  const ids = Array.from({ length: 6 }, (_, i) => cluster.ask(1, { type: 'put', key: text(`k${i}`), value: text('v') }))
  const results = ids.map((id) => cluster.answer(id))
  const codes = results.map((result) => result.status === 'error' && result.code)
  expect(codes.filter((code) => code === 'CASKADE_OVERLOADED').length).toBe(2)
  expect(codes.filter((code) => code === 'CASKADE_UNCERTAIN').length).toBe(4)
})

test('a crash that lost un-synced writes does not mint their dots again; with the bug it does, and a value is lost', () => {
  for (const bug of [false, true]) {
    const cluster = new SmallCluster({ slowStores: true, bugs: bug ? ['epoch-not-bumped'] : [] })
    cluster.put(1, 'warm', 'up', { deadlineMs: cluster.nowMs + 5 })
    for (const store of cluster.stores) store?.becomeDurable()
    cluster.run(3)
    // Only its minter loses it.
    cluster.ask(1, { type: 'put', bucket: 's', key: text('k'), value: text('lost here') })
    for (const member of [2, 3]) cluster.stores[member]!.slow = false
    cluster.run(5)
    expect(cluster.stored(2, 'k', 1)).toBeDefined()
    cluster.crash(1)
    for (const store of cluster.stores) if (store !== undefined) store.slow = false
    cluster.put(1, 'k', 'new', { bucket: 's' })
    cluster.run(100)
    const values = valuesOf(cluster.get(2, 'k', { bucket: 's', r: 3 }))
    expect(values.toSorted()).toEqual(bug ? [values[0]] : ['lost here', 'new'])
  }
})

test('nothing minted under an epoch that is not durable leaves', () => {
  const cluster = new SmallCluster({ slowStores: true })
  cluster.ask(1, { type: 'put', key: text('k'), value: text('v') })
  cluster.run(5)
  expect(cluster.stored(2, 'k')).toBeUndefined()
  cluster.stores[1]!.becomeDurable()
  cluster.run(5)
  expect(cluster.stored(2, 'k')).toBeDefined()
})

test('a peer that is nobody to the topology is not believed', () => {
  const cluster = new SmallCluster({ nodes: 4, owners: [1, 2, 3] })
  const id = cluster.ask(1, { type: 'put', key: text('k'), value: text('v') })
  // Delivered as if it came from another address than that of the member it names.
  for (const { to, frame } of cluster.sent.splice(0)) cluster.nodes[to]!.receive(idOf(4), frame, cluster.now())
  cluster.run(5)
  expect(cluster.stored(2, 'k')).toBeUndefined()
  expect(cluster.answer(id)).toMatchObject({ status: 'ok' })
})

test('a write that two owners minted does not come back when one of the two was replaced before they met', () => {
  const cluster = new SmallCluster({ nodes: 4, owners: [1, 2, 3] })
  // Member 1 hears everything and is heard by nobody.
  cluster.link = (from) => from !== 1
  const first = cluster.put(4, 'k', 'first', { bucket: 's', deadlineMs: cluster.nowMs + 5000 })
  expect(first).toMatchObject({ status: 'ok' })
  expect(cluster.stored(1, 'k', 1)).toBeDefined()
  const context = first.status === 'ok' ? first.context : undefined
  expect(cluster.put(2, 'k', 'second', { bucket: 's', context })).toMatchObject({ status: 'ok' })
  cluster.link = () => true
  cluster.run(3000)
  for (const member of [1, 2, 3, 4])
    expect(valuesOf(cluster.get(member, 'k', { bucket: 's', level: 'all' }))).toEqual(['second'])
  expect(cluster.stored(1, 'k', 1)).toEqual(cluster.stored(2, 'k', 1))
})

test('a forwarded write that comes late, when it was minted elsewhere and replaced since, is not minted again', () => {
  const cluster = new SmallCluster({ nodes: 4, owners: [1, 2, 3] })
  cluster.ask(4, { type: 'put', key: text('other'), value: text('x'), deadlineMs: cluster.nowMs + 5000 })
  // The network keeps it.
  const late = cluster.sent.splice(0)
  expect(late.map(({ to }) => to)).toEqual([1])
  cluster.link = (_, to) => to !== 1
  cluster.run(700)
  cluster.link = () => true
  cluster.run(700)
  expect(valuesOf(cluster.get(2, 'other'))).toEqual(['x'])
  expect(cluster.put(2, 'other', 'y')).toMatchObject({ status: 'ok' })
  cluster.run(10)
  for (const { from, to, frame } of late) cluster.nodes[to]!.receive(idOf(from), frame, cluster.now())
  cluster.run(50)
  expect(valuesOf(cluster.get(3, 'other', { level: 'all' }))).toEqual(['y'])
})

test('a write that an owner was fenced before is acknowledged by it once it has come as a hint', () => {
  const cluster = new SmallCluster()
  new RepairStamps(cluster.stores[3]!, 1).fence(0, cluster.wallMs + 50)
  cluster.start(3)
  expect(cluster.put(1, 'k', 'v', { level: 'all' })).toMatchObject({ status: 'ok' })
  expect(cluster.stored(3, 'k')).toEqual(cluster.stored(1, 'k'))
})

test('a forwarded write that comes long after its client has given it up is not minted, whatever its owner has forgotten', () => {
  for (const [lateMs, comesBack] of [
    [3000, true],
    [1000 + defaultNodeConfig.clockSkewMaxMs + 10, false],
  ] as const) {
    const cluster = new SmallCluster({ nodes: 4, owners: [1, 2, 3] })
    const id = cluster.ask(4, { type: 'put', key: text('k'), value: text('old') })
    const late = cluster.sent.splice(0)
    cluster.run(600)
    expect(cluster.results.get(id)).toMatchObject({ status: 'ok' })
    cluster.put(2, 'k', 'new')
    cluster.run(lateMs - 600)
    // What it has heard of that request dies with the process: see docs/cluster/guarantees.md.
    cluster.crash(1)
    for (const { from, to, frame } of late) cluster.nodes[to]!.receive(idOf(from), frame, cluster.now())
    cluster.run(50)
    expect(valuesOf(cluster.get(3, 'k', { level: 'all' })), `${lateMs} ms late`).toEqual([comesBack ? 'old' : 'new'])
  }
})
