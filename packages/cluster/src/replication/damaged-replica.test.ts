import { expect, test } from 'vitest'
import { SmallCluster, text, valuesOf } from '../testing/small-cluster.js'
import { storedKey } from './stored-key.js'

const key = storedKey(0, text('k'))

test.each([1, 2])(
  'a read of all owners through member %i heals the damaged record of member 2, and counts it',
  (reader) => {
    const cluster = new SmallCluster()
    cluster.put(1, 'k', 'v')
    cluster.run(10)
    expect(cluster.stores[2]!.rot(0, key)).toBe(true)
    const read = cluster.answer(cluster.ask(reader, { type: 'get', key: text('k'), level: 'all' }))
    expect(valuesOf(read)).toEqual(['v'])
    expect(cluster.stores[2]!.get(0, key)).toEqual(cluster.stores[1]!.get(0, key))
  },
)

test('what only the damaged replica had is not said to be absent', () => {
  const cluster = new SmallCluster()
  cluster.link = () => false
  cluster.put(2, 'k', 'v', { level: 'one' })
  cluster.link = () => true
  expect(cluster.stores[2]!.rot(0, key)).toBe(true)
  const read = cluster.answer(cluster.ask(1, { type: 'get', key: text('k'), level: 'all' }))
  expect(read).toMatchObject({ status: 'error', code: 'CASKADE_UNAVAILABLE' })
})
