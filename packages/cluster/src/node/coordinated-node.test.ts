import { expect, test } from 'vitest'
import { lww } from '../record/resolution.js'
import { ModelReplicaStore } from '../store/model-replica-store.js'
import { CoordinatedCluster } from '../testing/coordinated-cluster.js'
import { idOf } from '../testing/small-cluster.js'

const bucket = (name: string) =>
  ({ type: 'createBucket', name, options: { n: 3, r: 2, w: 2, resolution: lww } }) as const

test('a change that one node makes is in force on all, and after their restart', () => {
  const cluster = new CoordinatedCluster(5)
  expect(cluster.change(4, bucket('b'))).toEqual({ status: 'ok', epoch: 2 })
  cluster.run(500)
  for (let node = 1; node <= 5; node++) expect(cluster.node(node).topology!.epoch).toBe(2)
  for (let node = 1; node <= 5; node++) {
    cluster.crash(node)
    cluster.start(node)
    expect(cluster.node(node).topology!.buckets.map(({ name }) => name)).toEqual(['b'])
  }
  expect(cluster.change(1, bucket('c'))).toEqual({ status: 'ok', epoch: 3 })
  expect(cluster.change(2, bucket('c'))).toMatchObject({ status: 'error', code: 'CASKADE_BUCKET_EXISTS' })
})

test('a minority changes nothing, and says so', () => {
  const cluster = new CoordinatedCluster(5)
  cluster.run(100)
  cluster.link = (a, b) => a <= 2 === b <= 2
  expect(cluster.change(1, bucket('left'))).toMatchObject({ status: 'error', code: 'CASKADE_UNAVAILABLE' })
  expect(cluster.change(3, bucket('right'))).toMatchObject({ status: 'ok' })
  cluster.link = () => true
  cluster.run(3000)
  expect(cluster.node(1).topology!.buckets.map(({ name }) => name)).toEqual(['right'])
})

test('a new node asks a seed, and is a member; until then it serves nothing', () => {
  const cluster = new CoordinatedCluster(3)
  cluster.start(4)
  const request = { type: 'get', id: 1, bucket: 'b', key: Uint8Array.of(1), deadlineMs: 9999 } as const
  cluster.node(4).request(request, { monotonicMs: cluster.nowMs, wallMs: 0 })
  expect(cluster.results.get(1)).toMatchObject({ status: 'error', code: 'CASKADE_UNAVAILABLE' })
  cluster.run(3000)
  expect(cluster.node(4).topology!.members[3]).toMatchObject({ number: 4, id: idOf(4), incarnation: 1 })
  expect(cluster.node(1).topology!.members).toHaveLength(4)
  // It goes on as the same member.
  cluster.crash(4)
  cluster.start(4)
  cluster.run(3000)
  expect(cluster.node(4).topology!.members).toHaveLength(4)
  expect(cluster.change(4, bucket('b'))).toMatchObject({ status: 'ok' })
})

test('a join that is cut off at any millisecond ends as one member', () => {
  for (let crashAfterMs = 1; crashAfterMs < 40; crashAfterMs += 3) {
    const cluster = new CoordinatedCluster(3)
    cluster.start(4)
    cluster.run(900)
    cluster.store(4).slow = true
    cluster.run(crashAfterMs)
    cluster.crash(4)
    cluster.start(4)
    cluster.run(5000)
    const members = cluster.node(1).topology!.members.filter(({ id }) => id === idOf(4))
    expect(members).toHaveLength(1)
    expect(cluster.node(4).topology?.epoch).toBe(cluster.node(1).topology!.epoch)
  }
})

test('a node that lost its data is another member, of the next incarnation', () => {
  const cluster = new CoordinatedCluster(4)
  cluster.run(1000)
  cluster.crash(2)
  cluster.start(2, { store: new ModelReplicaStore() })
  cluster.run(5000)
  const { members, voters } = cluster.node(3).topology!
  expect(members.filter(({ id }) => id === idOf(2))).toMatchObject([
    { number: 2, incarnation: 1, state: 'removed' },
    { number: 5, incarnation: 2, state: 'up' },
  ])
  expect(voters).not.toContain(2)
  expect(cluster.change(2, bucket('b'))).toMatchObject({ status: 'ok' })
})

test('a node whose disk is an old copy stops, and starts as a new member with nothing on its disk', () => {
  const cluster = new CoordinatedCluster(4)
  cluster.run(1000)
  const old = new ModelReplicaStore()
  for (const { name, bytes } of cluster.store(2).scanMeta('', undefined, 100)) old.putMeta(name, bytes)
  old.put(1, Uint8Array.of(1), Uint8Array.of(2))
  old.sync()
  cluster.crash(2)
  cluster.start(2)
  cluster.run(3000)
  cluster.crash(2)
  cluster.start(2, { store: old })
  cluster.run(5000)
  expect(cluster.node(2).halted).toBe('supplanted')
  expect(old.partitions()).toEqual([])
  cluster.start(2)
  cluster.run(5000)
  expect(cluster.node(1).topology!.members.filter(({ id }) => id === idOf(2))).toMatchObject([
    { incarnation: 1, state: 'removed' },
    { incarnation: 2, state: 'up' },
  ])
})

test('a process that was removed while it was away halts', () => {
  const cluster = new CoordinatedCluster(4)
  cluster.run(1000)
  const old = cluster.store(2)
  cluster.crash(2)
  cluster.start(2, { store: new ModelReplicaStore() })
  cluster.run(5000)
  cluster.crash(2)
  // The disk of the first life comes back.
  cluster.start(2, { store: old })
  cluster.run(5000)
  expect(cluster.node(2).halted).toBe('removed')
})

test('a node that comes back under another address tells the topology', () => {
  const cluster = new CoordinatedCluster(3)
  cluster.run(1000)
  cluster.crash(2)
  cluster.start(2, { address: 'elsewhere' })
  cluster.run(3000)
  expect(cluster.node(1).topology!.members[1]!.address).toBe('elsewhere')
  expect(cluster.node(3).addressOf(idOf(2))).toBe('elsewhere')
})

test('the disk of another node or cluster is refused', () => {
  const cluster = new CoordinatedCluster(3)
  expect(() => cluster.start(4, { store: cluster.store(1) })).toThrow(/is that of node/)
})

test('verdicts steer whom the node asks first', () => {
  const cluster = new CoordinatedCluster(5)
  cluster.run(5000)
  cluster.crash(3)
  cluster.run(60_000)
  expect(cluster.events.filter((event) => event.includes('verdict') && event.includes('dead')).length).toBe(4)
})
