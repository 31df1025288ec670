import { expect, test } from 'vitest'
import { claimPartitions } from './claim-policy.js'
import { preferenceList } from './preference-list.js'
import { buildRing, membersFrom, type PlacementMember } from './ring.js'

const member = (number: number, host = `h${number}`): PlacementMember => ({
  number,
  id: `${number}`.repeat(16),
  host,
  zone: 'z',
})

test('a ring is walked once round from any point', () => {
  const ring = buildRing([3, 1, 2].map((number) => member(number)))
  const last = ring.tokens.at(-1)!
  for (const point of [0, 12_345, last, last + 1, 2 ** 32 - 1])
    expect(
      membersFrom(ring, point)
        .map(({ number }) => number)
        .sort(),
    ).toEqual([1, 2, 3])
  expect(membersFrom(ring, last)[0]!.number).toBe(ring.members[ring.holders.at(-1)!]!.number)
  expect(membersFrom(ring, last + 1)).toEqual(membersFrom(ring, 0))
  expect(membersFrom(buildRing([]), 0)).toEqual([])
})

test('a member that leaves takes itself out of the order, and nothing else changes', () => {
  const all = [1, 2, 3, 4, 5, 6].map((number) => member(number))
  const without = all.filter(({ number }) => number !== 4)
  for (let point = 0; point < 2 ** 32; point += 2 ** 26)
    expect(membersFrom(buildRing(without), point)).toEqual(
      membersFrom(buildRing(all), point).filter(({ number }) => number !== 4),
    )
})

test('owners come first, then everyone else, those on hosts of their own before the rest', () => {
  const all = [1, 2, 3, 4, 5, 6].map((number) => member(number, `h${number % 4}`))
  const claim = claimPartitions(all, 64, 3)
  const ring = buildRing(all)
  for (let partition = 0; partition < 64; partition++) {
    const list = preferenceList(claim, ring, partition)
    expect(list.slice(0, 3)).toEqual(claim[partition])
    expect(list.toSorted()).toEqual([1, 2, 3, 4, 5, 6])
    const onOwnersHost = list.slice(3).map((number) => claim[partition]!.some((owner) => owner % 4 === number % 4))
    expect(onOwnersHost).toEqual(onOwnersHost.toSorted())
  }
})
