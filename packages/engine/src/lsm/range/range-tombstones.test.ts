import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { noRanges, RangeTombstones, seenAmong, tellsApart } from './range-tombstones.js'

// Keys are single letters a..j, so that a range is a set of them.
const letters = [...'abcdefghij']
const key = (letter: string) => new Uint8Array(Buffer.from(letter))

interface Deletion {
  from: number
  to: number | undefined
}
const deletion: fc.Arbitrary<Deletion> = fc
  .tuple(fc.nat(8), fc.option(fc.integer({ min: 1, max: 6 }), { nil: undefined, freq: 6 }))
  .map(([from, length]) => ({ from, to: length && Math.min(from + length, 9) }))
const held = fc.uniqueArray(fc.nat(14), { maxLength: 4 }).map((all) => all.sort((a, b) => a - b))

const bound = (index: number | undefined) => (index === undefined ? undefined : key(letters[index]!))
const covers = ({ from, to }: Deletion, i: number) => i >= from && (to === undefined || i < to)

/** Sequence i + 1 is the i-th deletion's. */
const newest = (deletions: readonly Deletion[], i: number, max: number) =>
  deletions.reduce((found, each, at) => (covers(each, i) && at + 1 <= max ? at + 1 : found), 0)

const built = (deletions: readonly Deletion[], held: readonly number[]) =>
  deletions.reduce((ranges, { from, to }, i) => ranges.with(bound(from)!, bound(to), i + 1, held), noRanges)

function expectLookups(ranges: RangeTombstones, deletions: readonly Deletion[], moments: readonly number[]): void {
  for (const [i, letter] of letters.entries())
    for (const moment of moments)
      expect(ranges.newestCovering(key(letter), 0, 1, moment)).toBe(newest(deletions, i, moment))
}

describe('range tombstones', () => {
  test('answer for every key as the list of deletions does, at every moment that is held and now', () => {
    fc.assert(
      fc.property(fc.array(deletion, { maxLength: 12 }), held, (deletions, held) => {
        const ranges = built(deletions, held)
        expectLookups(ranges, deletions, [...held, Infinity])
        for (let i = 1; i < ranges.fragments.length; i++) {
          const { upper } = ranges.fragments[i - 1]!
          expect(upper !== undefined && Buffer.compare(upper, ranges.fragments[i]!.lower) <= 0).toBe(true)
        }
      }),
    )
  })

  test('merged from parts, and cut to pieces, they say the same', () => {
    fc.assert(
      fc.property(fc.array(deletion, { maxLength: 12 }), held, fc.nat(12), fc.nat(9), (deletions, held, at, cut) => {
        const older = built(deletions.slice(0, at), held)
        const newer = deletions
          .slice(at)
          .reduce((r, { from, to }, i) => r.with(bound(from)!, bound(to), at + i + 1, held), noRanges)
        const merged = RangeTombstones.merged([newer, older], held)
        expectLookups(merged, deletions, [...held, Infinity])
        const pieces = [merged.within(undefined, bound(cut)), merged.within(bound(cut), undefined)]
        expectLookups(RangeTombstones.merged(pieces, held), deletions, [...held, Infinity])
        for (const [i, letter] of letters.entries())
          expect(pieces[i < cut ? 1 : 0]!.newestCovering(key(letter), 0, 1, Infinity)).toBe(0)
      }),
    )
  })

  test('hide a record exactly from the reads that see a deletion newer than it', () => {
    fc.assert(
      fc.property(fc.array(deletion, { maxLength: 12 }), held, fc.nat(13), fc.nat(9), (deletions, held, record, i) => {
        const hidden = built(deletions, held).hides(key(letters[i]!), 0, 1, record, held)
        const moments = [...held.filter((moment) => moment >= record), Infinity]
        expect(hidden).toBe(moments.every((moment) => newest(deletions, i, moment) > record))
      }),
    )
  })

  test('cover a span only if each key of it is hidden', () => {
    fc.assert(
      fc.property(
        fc.array(deletion, { maxLength: 12 }),
        held,
        fc.nat(9),
        fc.nat(9),
        fc.tuple(fc.nat(6), fc.nat(6)),
        fc.boolean(),
        (deletions, held, a, b, [x, y], closed) => {
          const [low, high] = [Math.min(a, b), Math.max(a, b)]
          const [oldest, newestRecord] = [Math.min(x, y), Math.max(x, y)]
          const ranges = built(deletions, held)
          const span = { lower: bound(low)!, upper: bound(high), closed }
          if (!ranges.coversAll(span, oldest, newestRecord, held)) return
          for (let i = low; closed ? i <= high : i < high; i++)
            for (const sequence of [oldest, newestRecord])
              expect(ranges.hides(key(letters[i]!), 0, 1, sequence, held)).toBe(true)
        },
      ),
    )
    const all = noRanges.with(key('b'), key('e'), 5, []).with(key('e'), undefined, 6, [])
    expect(all.coversAll({ lower: key('c'), upper: undefined, closed: false }, 1, 4, [])).toBe(true)
    expect(all.coversAll({ lower: key('c'), upper: key('f'), closed: true }, 1, 4, [])).toBe(true)
    expect(all.coversAll({ lower: key('c'), upper: key('f'), closed: true }, 1, 4, [2])).toBe(false)
    expect(all.coversAll({ lower: key('a'), upper: key('f'), closed: true }, 1, 4, [])).toBe(false)
    expect(all.coversAll({ lower: key('c'), upper: key('f'), closed: true }, 1, 5, [])).toBe(false)
  })

  test('what nobody sees is dropped, and neighbours become one', () => {
    const many = Array.from({ length: 100 }, (_, i) => ({ from: i % 9, to: (i % 9) + 1 }))
    expect(built([...many, { from: 0, to: undefined }], []).fragments).toEqual([
      { lower: key('a'), upper: undefined, sequences: [101] },
    ])
    expect(
      built(many, [])
        .without(95)
        .fragments.flatMap(({ sequences }) => sequences),
    ).toEqual([100, 96, 97, 98, 99])
    expect(RangeTombstones.merged([noRanges], [])).toBe(noRanges)
  })

  test('moments told apart', () => {
    expect(tellsApart([5], 5, 6)).toBe(true)
    expect(tellsApart([5], 6, 7)).toBe(false)
    expect(tellsApart([5], 3, 5)).toBe(false)
    expect(tellsApart([], 1, 9)).toBe(false)
    expect(seenAmong([9, 8, 6, 5, 2], [1, 5, 8])).toEqual([9, 8, 5])
  })
})
