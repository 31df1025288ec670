import { expect, test } from 'vitest'
import type { Result } from '../node/result.js'
import { idOf, SmallCluster, text, valuesOf } from '../testing/small-cluster.js'

const key = (name: string, bucket = 0) => Uint8Array.of(0, bucket, ...text(name))

/** Member 1 misses a write that 2 and 3 have. */
function disagreeing(cluster: SmallCluster): void {
  cluster.put(2, 'k', 'old')
  cluster.run(5)
  const old = cluster.stored(1, 'k')!
  cluster.put(2, 'k', 'new')
  cluster.run(300)
  cluster.stores[1]!.put(0, key('k'), old)
}

test('a read that sees replicas disagree writes back before it answers', () => {
  const cluster = new SmallCluster()
  disagreeing(cluster)
  expect(valuesOf(cluster.get(1, 'k'))).toEqual(['new'])
  expect(cluster.stored(1, 'k')).toEqual(cluster.stored(2, 'k'))
  expect(cluster.nodes[1]!.gets.repairs).toBe(1)
  expect(valuesOf(cluster.get(1, 'k', { level: 'one' }))).toEqual(['new'])
})

test('the answer waits for the write-back: what one read has seen, the next one sees', () => {
  const cluster = new SmallCluster()
  // Only member 3 has it, from a put that nobody acknowledged.
  cluster.put(3, 'k', 'v', { w: 1 })
  cluster.run(5)
  const record = cluster.stored(3, 'k')!
  for (const member of [1, 2]) cluster.stores[member]!.remove(0, key('k'))
  cluster.verdicts.set(2, 'dead')
  cluster.stores[1]!.slow = true
  const id = cluster.ask(1, { type: 'get', key: text('k') })
  cluster.run(3)
  expect(cluster.stored(1, 'k')).toEqual(record)
  cluster.stores[1]!.becomeDurable()
  cluster.run(1)
  expect(valuesOf(cluster.results.get(id))).toEqual(['v'])
})

test('with the bug, a read answers what the next one does not see', () => {
  const cluster = new SmallCluster({ bugs: ['read-repair-without-write-back'] })
  disagreeing(cluster)
  expect(valuesOf(cluster.get(1, 'k'))).toEqual(['new'])
  expect(valuesOf(cluster.get(1, 'k', { level: 'one' }))).toEqual(['old'])
})

test('a slow replica costs a hedge, not the deadline', () => {
  const cluster = new SmallCluster()
  cluster.put(1, 'k', 'v')
  cluster.link = (from) => from !== 2
  const begun = cluster.nowMs
  for (let i = 0; i < 20; i++) expect(valuesOf(cluster.get(1, 'k'))).toEqual(['v'])
  expect(cluster.nowMs - begun).toBeLessThan(200)
  // Its silence is remembered: most reads asked the other one first.
  expect(cluster.nodes[1]!.gets.hedges).toBeLessThan(6)
})

test('no quorum: unavailable at the deadline, and one still reads', () => {
  const cluster = new SmallCluster()
  cluster.put(1, 'k', 'v')
  cluster.link = () => false
  expect(cluster.get(1, 'k')).toMatchObject({ status: 'error', code: 'CASKADE_UNAVAILABLE' })
  expect(valuesOf(cluster.get(1, 'k', { level: 'one' }))).toEqual(['v'])
})

test('an answer that comes after the deadline is not counted, with or without a timer in between', () => {
  const cluster = new SmallCluster()
  cluster.put(1, 'k', 'v')
  const id = cluster.ask(1, { type: 'get', key: text('k'), deadlineMs: cluster.nowMs + 50 })
  const [asked] = cluster.sent.splice(0)
  cluster.nodes[2]!.receive(idOf(1), asked!.frame, cluster.now())
  cluster.nodes[2]!.tick(cluster.now())
  const [answer] = cluster.sent.splice(0)
  // The node sleeps; the answer waits in its socket.
  cluster.nowMs += 60
  cluster.nodes[1]!.receive(idOf(2), answer!.frame, cluster.now())
  expect(cluster.results.get(id)).toMatchObject({ code: 'CASKADE_UNAVAILABLE' })
})

test('a late answer is for the request that asked; with the bug it counts for the next one in its slot', () => {
  for (const bug of [false, true]) {
    const cluster = new SmallCluster({ bugs: bug ? ['late-reply-counted'] : [] })
    cluster.put(1, 'k', 'old')
    cluster.run(5)
    cluster.ask(1, { type: 'get', key: text('k'), deadlineMs: cluster.nowMs + 5 })
    const [asked] = cluster.sent.splice(0)
    cluster.nodes[asked!.to]!.receive(idOf(1), asked!.frame, cluster.now())
    cluster.nodes[asked!.to]!.tick(cluster.now())
    const [late] = cluster.sent.splice(0)
    cluster.run(10)
    cluster.verdicts.set(late!.from === 2 ? 3 : 2, 'suspect')
    const old = cluster.stored(1, 'k')!
    cluster.put(2, 'k', 'new', { w: 3 })
    cluster.stores[1]!.put(0, key('k'), old)
    const id = cluster.ask(1, { type: 'get', key: text('k') })
    cluster.nodes[1]!.receive(idOf(late!.from), late!.frame, cluster.now())
    expect(valuesOf(cluster.answer(id))).toEqual([bug ? 'old' : 'new'])
  }
})

test('session: reads on until it finds what the session wrote', () => {
  const cluster = new SmallCluster()
  disagreeing(cluster)
  const written = cluster.get(2, 'k', { level: 'one' })
  const sessionContext = written.status === 'ok' ? written.context : undefined
  expect(valuesOf(cluster.get(1, 'k', { level: 'one' }))).toEqual(['old'])
  expect(valuesOf(cluster.get(1, 'k', { level: 'session', sessionContext }))).toEqual(['new'])
  cluster.link = () => false
  disagreeing(new SmallCluster())
  cluster.stores[1]!.remove(0, key('k'))
  expect(cluster.get(1, 'k', { level: 'session', sessionContext })).toMatchObject({ code: 'CASKADE_UNAVAILABLE' })
})

test('session, of many keys: each has a context of its own', () => {
  const cluster = new SmallCluster()
  disagreeing(cluster)
  cluster.put(2, 'other', 'value')
  const written = cluster.get(2, 'k', { level: 'one' })
  const sessionContext = written.status === 'ok' ? written.context : undefined
  const many = (sessionContexts?: (Uint8Array | undefined)[]) => {
    const keys = ['other', 'k', 'never'].map(text)
    return cluster.answer(cluster.ask(1, { type: 'getMany', level: 'session', keys, sessionContexts }))
  }
  const values = (result: Result) => (result.status === 'many' ? result.results.map((each) => valuesOf(each)[0]) : [])
  expect(values(many())).toEqual(['value', 'old', undefined])
  expect(values(many([undefined, sessionContext, new Uint8Array(0)]))).toEqual(['value', 'new', undefined])
  expect(many([sessionContext])).toMatchObject({ code: 'CASKADE_BAD_REQUEST' })
  expect(many([undefined, text('nonsense'), undefined])).toMatchObject({ code: 'CASKADE_BAD_REQUEST' })
})

test('bit rot is never answered, and is healed from all the others', () => {
  const cluster = new SmallCluster()
  cluster.put(1, 'k', 'v')
  cluster.run(5)
  const actor = cluster.nodes[1]!.epoch.actor
  cluster.stores[1]!.rot(0, key('k'))
  expect(valuesOf(cluster.get(1, 'k'))).toEqual(['v'])
  cluster.run(5)
  expect(cluster.stored(1, 'k')).toEqual(cluster.stored(2, 'k'))
  // Its own dots may have been in there.
  expect(cluster.nodes[1]!.epoch.actor).toBe(actor + 1)
})

test('a record that a crash could take back is not told', () => {
  const cluster = new SmallCluster()
  cluster.stores[2]!.slow = true
  cluster.put(1, 'k', 'v')
  cluster.verdicts.set(3, 'dead')
  cluster.link = (_, to) => to !== 3
  const id = cluster.ask(1, { type: 'get', key: text('k') })
  cluster.run(10)
  expect(cluster.results.has(id)).toBe(false)
  cluster.stores[2]!.becomeDurable()
  cluster.run(5)
  expect(valuesOf(cluster.results.get(id))).toEqual(['v'])
})

test('while a partition moves, a write needs a quorum of both owner sets', () => {
  for (const bug of [false, true]) {
    const cluster = new SmallCluster({ nodes: 5, owners: [1, 2, 3], bugs: bug ? ['quorum-in-new-set-only'] : [] })
    cluster.adopt({
      ...cluster.topology,
      epoch: 2,
      moves: [{ partition: 0, to: [4, 5], phase: 'readOld' }],
      changedAt: [2],
    })
    // Two of the old owners are cut off.
    cluster.link = (from, to) => ![2, 3].includes(from) && ![2, 3].includes(to)
    const result = cluster.put(1, 'k', 'v')
    expect(result.status === 'error' && result.code).toBe(bug ? false : 'CASKADE_UNCERTAIN')
  }
})

test('a node with old owners is refused until it has learned the new ones; with the bug it reads what is no more', () => {
  for (const bug of [false, true]) {
    const cluster = new SmallCluster({ nodes: 4, owners: [1, 2, 3], bugs: bug ? ['epoch-unchecked'] : [] })
    cluster.put(1, 'k', 'old', { w: 3 })
    cluster.stores[4]!.put(0, key('k'), cluster.stored(1, 'k')!)
    // Member 1 has not heard of it, nor member 2 of what is written next.
    cluster.verdicts.set(1, 'dead').set(2, 'dead')
    cluster.adopt({ ...cluster.topology, epoch: 2, claim: [[2, 3, 4]], changedAt: [2] }, [2, 3, 4])
    expect(cluster.put(4, 'k', 'new')).toMatchObject({ status: 'ok' })
    cluster.verdicts.delete(2)
    cluster.verdicts.set(3, 'suspect')
    const id = cluster.ask(1, { type: 'get', key: text('k') })
    cluster.run(50)
    expect(valuesOf(cluster.results.get(id))).toEqual(bug ? ['old'] : [])
    expect(cluster.results.has(id)).toBe(bug)
    if (bug) continue
    cluster.adopt(cluster.topology, [1])
    cluster.run(50)
    expect(valuesOf(cluster.results.get(id))).toEqual(['new'])
  }
})

test('requests under way when the owners change end with the new ones', () => {
  const cluster = new SmallCluster({ nodes: 6, owners: [1, 2, 3] })
  cluster.link = (from, to) => ![2, 3].includes(from) && ![2, 3].includes(to)
  const write = cluster.ask(1, { type: 'put', key: text('k'), value: text('v') })
  cluster.run(20)
  expect(cluster.results.has(write)).toBe(false)
  cluster.adopt({ ...cluster.topology, epoch: 2, claim: [[1, 4, 5]], changedAt: [2] })
  cluster.run(20)
  expect(cluster.results.get(write)).toMatchObject({ status: 'ok' })
  expect(valuesOf(cluster.get(6, 'k'))).toEqual(['v'])
})
