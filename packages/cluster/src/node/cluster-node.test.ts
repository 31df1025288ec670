import { expect, test } from 'vitest'
import { SmallCluster, text, valuesOf } from '../testing/small-cluster.js'

test('a write is read through any node, with its version and context', () => {
  const cluster = new SmallCluster({ nodes: 5 })
  for (let member = 1; member <= 5; member++) {
    const written = cluster.put(member, `k${member}`, `v${member}`)
    expect(written).toMatchObject({ status: 'ok', version: 1 })
    for (let reader = 1; reader <= 5; reader++) {
      const read = cluster.get(reader, `k${member}`)
      expect(valuesOf(read)).toEqual([`v${member}`])
      expect(read).toMatchObject({ version: 1 })
    }
  }
})

test('deleted stays deleted, absent is not found, many keys come back in order', () => {
  const cluster = new SmallCluster()
  cluster.put(1, 'a', '1')
  cluster.put(2, 'b', '2')
  expect(cluster.answer(cluster.ask(3, { type: 'delete', key: text('a') }))).toMatchObject({ status: 'ok', version: 2 })
  expect(cluster.get(1, 'a')).toMatchObject({ status: 'notFound', version: 2 })
  expect(cluster.get(1, 'never')).toMatchObject({ status: 'notFound', version: 0 })
  const many = cluster.answer(cluster.ask(2, { type: 'getMany', keys: ['b', 'a', 'b'].map(text) }))
  expect(many.status === 'many' && many.results.map((each) => valuesOf(each)[0] ?? each.status)).toEqual([
    '2',
    'notFound',
    '2',
  ])
})

test('one frame per peer and turn, however many requests', () => {
  const cluster = new SmallCluster()
  const node = cluster.nodes[1]!
  for (let id = 1000; id < 1100; id++)
    node.request(
      { type: 'put', id, bucket: 'b', key: text(`k${id}`), value: text('v'), deadlineMs: 9999 },
      cluster.now(),
    )
  expect(cluster.frames).toBe(0)
  node.tick(cluster.now())
  expect(cluster.frames).toBe(2)
  cluster.run(3)
  expect(cluster.results.size).toBe(100)
  expect(cluster.frames).toBe(4)
})
