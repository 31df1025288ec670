import { expect, test } from 'vitest'
import { Random } from './random.js'
import { Zipfian, zeta, zipfianTheta } from './zipfian.js'

const draws = 400_000

function countRanks(zipfian: Zipfian, ranks: number): number[] {
  const counts = new Array<number>(ranks).fill(0)
  for (let i = 0; i < draws; i++) counts[zipfian.next()]!++
  return counts
}

test('zeta of the constants that YCSB ships', () => {
  expect(zeta(1, 0.99)).toBe(1)
  expect(zeta(1000, 0.99, 400, zeta(400, 0.99))).toBeCloseTo(zeta(1000, 0.99), 10)
  // YCSB: 26.469 for 10^10 items; the sum grows like the integral of x^-theta.
  const tail = (10_000_000_000 ** 0.01 - 1_000_000 ** 0.01) / 0.01
  expect(zeta(1_000_000, 0.99) + tail).toBeCloseTo(26.46902820178302, 4)
})

test('ranks occur as often as Zipf says', () => {
  const ranks = 1000
  const counts = countRanks(new Zipfian(new Random(42), ranks), ranks)
  const total = zeta(ranks, zipfianTheta)
  const probability = (rank: number) => 1 / ((rank + 1) ** zipfianTheta * total)
  for (const rank of [0, 1]) {
    const expected = draws * probability(rank)
    expect(Math.abs(counts[rank]! - expected)).toBeLessThan(4 * Math.sqrt(expected))
  }
  // Beyond the first two the generator is a continuous approximation: ranks 2 and 3 come 14 % too often, later ones up to 4 % too rarely.
  for (let from = 2; from < ranks; from *= 2) {
    const to = Math.min(ranks, from * 2)
    const seen = counts.slice(from, to).reduce((sum, count) => sum + count, 0)
    let expected = 0
    for (let rank = from; rank < to; rank++) expected += draws * probability(rank)
    expect(Math.abs(seen / expected - 1), `ranks ${from} to ${to}`).toBeLessThan(from === 2 ? 0.16 : 0.06)
  }
})

test('a generator that has grown is the one that was made large', () => {
  const grown = new Zipfian(new Random(5), 100)
  for (let count = 101; count <= 500; count++) grown.grow(count)
  const made = new Zipfian(new Random(5), 500)
  expect(Array.from({ length: 1000 }, () => grown.next())).toEqual(Array.from({ length: 1000 }, () => made.next()))
})
