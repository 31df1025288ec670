import { expect, test } from 'vitest'
import { linkOf, Network, type Noise } from './network.js'

const quiet: Noise = { loss: 0, duplicate: 0, reorder: 0, delay: 0, delayMs: 0 }
const link = linkOf(1, 2)

function sent(network: Network, frames: number): number[][] {
  return Array.from({ length: frames }, (_, i) => network.arrivals(link, i * 0.1))
}

test('a link without faults delivers each frame once, in order', () => {
  const arrivals = sent(new Network(1, [1, 20]), 500)
  expect(arrivals.every(({ length }) => length === 1)).toBe(true)
  const moments = arrivals.flat()
  expect(moments).toEqual([...moments].sort((a, b) => a - b))
  for (const [i, moment] of moments.entries()) expect(moment).toBeGreaterThanOrEqual(i * 0.1 + 1)
})

test('a cut stops one direction, and overlapping cuts end one by one', () => {
  const network = new Network(1, [1, 2])
  const first = network.cut(new Set([link]))
  const second = network.cut(new Set([link, linkOf(3, 4)]))
  expect(network.arrivals(link, 0)).toEqual([])
  expect(network.arrivals(linkOf(2, 1), 0)).toHaveLength(1)
  first()
  expect(network.isCut(link)).toBe(true)
  second()
  expect(network.arrivals(link, 0)).toHaveLength(1)
  expect(network.counts.cut).toBe(1)
})

test.each([
  ['loss', 'lost'],
  ['duplicate', 'duplicated'],
  ['reorder', 'reordered'],
  ['delay', 'delayed'],
] as const)('%s happens as often as asked for, on the chosen links, until it ends', (kind, count) => {
  const network = new Network(5, [1, 20])
  const end = network.disturb(new Set([link]), { ...quiet, delayMs: 100, [kind]: 0.5 })
  const arrivals = sent(network, 1000)
  expect(network.counts[count]).toBeGreaterThan(200)
  expect(network.counts[count]).toBeLessThan(700)
  if (kind === 'loss') expect(arrivals.filter(({ length }) => length === 0)).toHaveLength(network.counts.lost)
  if (kind === 'duplicate') expect(arrivals.flat()).toHaveLength(1000 + network.counts.duplicated)
  const before = network.counts[count]
  for (let i = 0; i < 100; i++) network.arrivals(linkOf(2, 1), i)
  end()
  sent(network, 100)
  expect(network.counts[count]).toBe(before)
})

test('the same seed decides the same, whatever happens on other links', () => {
  const other = new Network(9, [1, 20])
  for (let i = 0; i < 10; i++) other.arrivals(linkOf(2, 1), i)
  expect(sent(other, 50)).toEqual(sent(new Network(9, [1, 20]), 50))
  expect(sent(new Network(10, [1, 20]), 50)).not.toEqual(sent(new Network(9, [1, 20]), 50))
})
