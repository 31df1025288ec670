import { expect, test } from 'vitest'
import { fnvHash64Below } from './fnv.js'
import { type Distribution, keyChooser, planChooser } from './key-chooser.js'
import { Random } from './random.js'

const records = 1000
const draws = 200_000
const hotspot = { records: 0.2, operations: 0.8 }

function countsOf(distribution: Distribution, count = records, expectedCount = count): number[] {
  const chooser = keyChooser(planChooser(distribution, count, expectedCount, hotspot), new Random(11))
  const counts = new Array<number>(count).fill(0)
  for (let i = 0; i < draws; i++) {
    const index = chooser.next(count)
    expect(index >= 0 && index < count).toBe(true)
    counts[index]!++
  }
  return counts
}

const within = (count: number, expected: number, sigmas: number) =>
  expect(Math.abs(count - expected)).toBeLessThan(sigmas * Math.sqrt(expected))

test('uniform: chi-square', () => {
  const chiSquare = countsOf('uniform').reduce(
    (sum, count) => sum + (count - draws / records) ** 2 / (draws / records),
    0,
  )
  // 999 degrees of freedom: mean 999, deviation 44.7.
  expect(Math.abs(chiSquare - 999)).toBeLessThan(4 * 44.7)
})

test('zipfian: the hottest record is where the hash puts rank 0 and gets its share, and neighbours are not alike', () => {
  const counts = countsOf('zipfian')
  const out = new Uint32Array(2)
  const hottest = fnvHash64Below(0, records, out)
  expect(counts.indexOf(Math.max(...counts))).toBe(hottest)
  // Besides rank 0, each of the other ranks lands there with probability 1 / records.
  const share = 1 / 26.46902820178302
  within(counts[hottest]!, draws * (share + (1 - share) / records), 6)
  expect(Math.min(...counts)).toBeGreaterThan(0)
  expect(counts.slice(0, records / 2).reduce((sum, count) => sum + count) / draws).toBeGreaterThan(0.4)
})

test('zipfian over a key space that is to grow: only records that exist', () => {
  const counts = countsOf('zipfian', records, records * 2)
  expect(counts.reduce((sum, count) => sum + count)).toBe(draws)
})

test('latest: the newest record is the hottest, and follows growth', () => {
  const counts = countsOf('latest')
  expect(counts.indexOf(Math.max(...counts))).toBe(records - 1)
  expect(counts[records - 1]!).toBeGreaterThan(counts[records - 3]!)
  const chooser = keyChooser(planChooser('latest', 10, 20, hotspot), new Random(3))
  const newest = Array.from({ length: 1000 }, () => chooser.next(20)).filter((index) => index >= 10)
  expect(newest.length).toBeGreaterThan(500)
})

test('hotspot: four fifths of the requests go to one fifth of the records', () => {
  const counts = countsOf('hotspot')
  within(
    counts.slice(0, 200).reduce((sum, count) => sum + count),
    draws * 0.8,
    5,
  )
  within(counts[0]!, (draws * 0.8) / 200, 5)
  within(counts[999]!, (draws * 0.2) / 800, 5)
})
