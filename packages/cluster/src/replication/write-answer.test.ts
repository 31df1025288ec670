import { expect, test } from 'vitest'
import type { KeyResult } from '../node/result.js'
import { SmallCluster, text, valuesOf } from '../testing/small-cluster.js'

const siblings = { bucket: 's' }
const contextOf = (result: KeyResult) => (result.status === 'error' ? undefined : result.context)

// Member 4 is no owner and forwards.
test.each([1, 4])(
  'a write beside others, through member %i, is told of them, since its context stands for them',
  (member) => {
    const cluster = new SmallCluster({ nodes: 4, owners: [1, 2, 3] })
    expect(valuesOf(cluster.put(member, 'k', 'a', siblings))).toEqual([])
    const beside = cluster.put(member, 'k', 'b', siblings)
    expect(valuesOf(beside).sort()).toEqual(['a', 'b'])
    const context = contextOf(beside)
    expect(valuesOf(cluster.put(member, 'k', 'a+b', { ...siblings, context }))).toEqual([])
    expect(valuesOf(cluster.get(2, 'k', siblings))).toEqual(['a+b'])
  },
)

test.each([1, 4])('a retry through member %i that comes after its write was replaced is told by what', (member) => {
  const cluster = new SmallCluster({ nodes: 4, owners: [1, 2, 3] })
  const retried = { ...siblings, requestId: { high: 1, low: 2 } }
  const context = contextOf(cluster.put(member, 'k', 'a', retried))
  cluster.put(member, 'k', 'b', { ...siblings, context })
  expect(valuesOf(cluster.put(member, 'k', 'a', retried))).toEqual(['b'])
})

test.each([1, 4])('a deletion through member %i is told of what it has not seen', (member) => {
  const cluster = new SmallCluster({ nodes: 4, owners: [1, 2, 3] })
  const context = contextOf(cluster.put(1, 'k', 'a', siblings))
  cluster.put(1, 'k', 'b', siblings)
  const deleted = cluster.answer(
    cluster.ask(member, { type: 'delete', ...siblings, key: text('k'), context: context! }),
  )
  expect(valuesOf(deleted)).toEqual(['b'])
})

test('an owner that has heard of a write, and had no room for it, does not acknowledge its retry without it', () => {
  const cluster = new SmallCluster()
  cluster.put(2, 'k', 'before')
  cluster.run(10)
  const retried = { type: 'put', key: text('k'), value: text('v'), requestId: { high: 1, low: 2 } } as const
  cluster.stores[2]!.full = true
  cluster.link = (from, to) => from === 1 && to === 2
  const tried = cluster.answer(cluster.ask(1, { ...retried, deadlineMs: cluster.nowMs + 300 }))
  expect(tried).toMatchObject({ status: 'error', code: 'CASKADE_UNCERTAIN' })
  cluster.stores[2]!.full = false
  cluster.link = (from, to) => from !== 1 && to !== 1
  expect(cluster.answer(cluster.ask(2, retried))).toMatchObject({ status: 'ok' })
  expect(valuesOf(cluster.get(3, 'k'))).toEqual(['v'])
})
