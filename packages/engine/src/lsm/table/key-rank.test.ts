import fc from 'fast-check'
import { expect, test } from 'vitest'
import { KeyRank } from './key-rank.js'

function rankOf(sample: readonly Uint8Array[], wanted: number): (key: Uint8Array) => number {
  const ends = sample.map((_, i) => sample.slice(0, i + 1).reduce((sum, { length }) => sum + length, 0))
  const starts = [0, ...ends.slice(0, -1)].slice(0, sample.length)
  const rank = new KeyRank(Buffer.concat(sample), Uint32Array.from(starts), Uint32Array.from(ends), wanted)
  return (key) => rank.of(Buffer.concat([Buffer.from('<'), key, Buffer.from('>')]), 1, 1 + key.length)
}

test('ranks are in the order of the keys, those of the sample and any others', () => {
  const key = fc.oneof(fc.uint8Array({ maxLength: 10 }), fc.string({ maxLength: 10 }).map(Buffer.from))
  fc.assert(
    fc.property(fc.array(key), fc.array(key), fc.integer({ min: 1, max: 2 ** 31 }), (sample, others, wanted) => {
      const rank = rankOf(sample, wanted)
      const ranks = [...sample, ...others].sort(Buffer.compare).map(rank)
      for (const [i, next] of ranks.slice(1).entries()) expect(next).toBeGreaterThanOrEqual(ranks[i]!)
      for (const each of ranks) expect(each).toBe(each | 0)
    }),
  )
})

test.each([
  ['hexadecimal digits', (i: number) => i.toString(16).padStart(5, '0'), 16 ** 5],
  ['decimal digits', (i: number) => String(i).padStart(6, '0'), 10 ** 6],
  ['letters', (i: number) => i.toString(36).padStart(4, '0'), 36 ** 4],
])('%s that are spread evenly have ranks that are', (_, text, count) => {
  const numbers = Array.from({ length: 2000 }, (_, i) => Math.floor((i * count) / 2000))
  const keys = numbers.map((number) => Buffer.from(text(number)))
  const rank = rankOf(keys, 64_000)
  const span = rank(keys.at(-1)!) - rank(keys[0]!)
  for (const [i, key] of keys.entries())
    expect(Math.abs((rank(key) - rank(keys[0]!)) / span - i / 1999)).toBeLessThan(0.01)
})
