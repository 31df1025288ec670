import { BloomFilter } from 'bloom-filters'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { buildFilter, filterMayContain, filterProbes } from './bloom-filter.js'
import { hashOf } from './table.test.fixture.js'

const keyOf = (i: number) => Buffer.from(`key:${i}`)

test('no key that was added is ever denied', () => {
  fc.assert(
    fc.property(
      fc.uint8Array().map(hashOf),
      fc.array(fc.nat(2 ** 32 - 1)),
      fc.integer({ min: 1, max: 30 }),
      (one, more, bits) => {
        const hashes = Uint32Array.from([one, ...more])
        const filter = buildFilter(hashes, hashes.length, bits)
        expect(filter.length % 64).toBe(0)
        for (const hash of hashes) expect(filterMayContain(filter, filterProbes(bits), hash)).toBe(true)
      },
    ),
  )
})

/** Of a classic filter with k probes: (1 - e^(-kn/m))^k. */
function classicRate(bits: number): number {
  const probes = filterProbes(bits)
  return (1 - Math.exp(-probes / bits)) ** probes
}

test.each([4, 8, 10, 14])('false positives with %i bits a key are near those of a classic filter', (bits) => {
  const count = 50_000
  const hashes = Uint32Array.from({ length: count }, (_, i) => hashOf(keyOf(i)))
  const filter = buildFilter(hashes, count, bits)
  let positives = 0
  for (let i = 0; i < 200_000; i++) {
    if (filterMayContain(filter, filterProbes(bits), hashOf(keyOf(count + i)))) positives++
  }
  const rate = positives / 200_000
  expect(rate).toBeGreaterThan(classicRate(bits) * 0.8)
  expect(rate).toBeLessThan(classicRate(bits) * 1.6 + 0.0005)
})

test('agrees with the bloom-filters package about members, and errs about as rarely', () => {
  const count = 2000
  const oracle = BloomFilter.create(count, 0.01)
  const hashes = Uint32Array.from({ length: count }, (_, i) => hashOf(keyOf(i)))
  for (let i = 0; i < count; i++) oracle.add(keyOf(i).toString())
  const filter = buildFilter(hashes, count, 10)
  let ours = 0
  let theirs = 0
  for (let i = 0; i < 4 * count; i++) {
    const mine = filterMayContain(filter, filterProbes(10), hashOf(keyOf(i)))
    const other = oracle.has(keyOf(i).toString())
    if (i < count) expect([mine, other]).toEqual([true, true])
    else {
      ours += mine ? 1 : 0
      theirs += other ? 1 : 0
    }
  }
  expect(ours).toBeLessThan(theirs * 2 + 60)
})
