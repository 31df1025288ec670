import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Claim, loadsOf, ownerChanges } from './claim.js'
import { claimPartitions } from './claim-policy.js'
import { describeClaim } from './describe-claim.js'
import { fairShares, hostOf, spreadOf } from './quota-policy.js'
import type { PlacementMember } from './ring.js'

const partitions = 1024
const n = 3

/** Member `number` with an id that looks drawn. */
const member = (number: number, zone = 'z', host = `h${number}`): PlacementMember => ({
  number,
  id: (Math.imul(number, 0x9e3779b1) >>> 0).toString(16).padStart(16, '0'),
  host,
  zone,
})
const members = (count: number) => Array.from({ length: count }, (_, i) => member(i + 1))
const inZones = (count: number, zones: number) =>
  Array.from({ length: count }, (_, i) => member(i + 1, `z${i % zones}`))

/** Least and greatest load, as parts of the fair share. */
function extremes(all: readonly PlacementMember[], claim: Claim): [number, number] {
  const shares = fairShares(all, partitions, n)
  const loads = loadsOf(claim)
  const parts = all.map(({ number }) => (loads.get(number) ?? 0) / shares.get(number)!)
  return [Math.min(...parts), Math.max(...parts)]
}

function expectSpread(all: readonly PlacementMember[], claim: Claim, copies = n): void {
  const { perHost, perZone } = spreadOf(all, copies)
  const byNumber = new Map(all.map((each) => [each.number, each]))
  const most = (labels: string[]) =>
    Math.max(0, ...labels.map((label) => labels.filter((each) => each === label).length))
  const bad = claim.filter(
    (owners) =>
      new Set(owners).size !== Math.min(copies, all.length) ||
      most(owners.map((number) => hostOf(byNumber.get(number)!))) > perHost ||
      most(owners.map((number) => byNumber.get(number)!.zone)) > perZone,
  )
  expect(bad).toEqual([])
}

/** Replicas that change hands, as a part of all; fails if any moves between two that were there before and after. */
function movedTo(from: Claim, to: Claim, changed: number): number {
  let moved = 0
  const bystanders = new Set<number>()
  for (const { gained, lost } of ownerChanges(from, to)) {
    if (!gained.includes(changed) && !lost.includes(changed))
      for (const each of [...gained, ...lost]) bystanders.add(each)
    moved += Math.max(gained.length, lost.length)
  }
  expect([...bystanders]).toEqual([])
  return moved / (partitions * n)
}

describe('load', () => {
  test.each([3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 16, 17, 23, 31, 32, 50, 64, 77, 99, 100])('%i members', (count) => {
    const all = members(count)
    const claim = claimPartitions(all, partitions, n)
    expectSpread(all, claim)
    expect(extremes(all, claim)[1]).toBeLessThanOrEqual(1.05)
  })

  test.each([
    [3, 3],
    [6, 3],
    [10, 3],
    [12, 4],
    [9, 5],
    [20, 2],
    [50, 3],
  ])('%i members in %i zones', (count, zones) => {
    const all = inZones(count, zones)
    const claim = claimPartitions(all, partitions, n)
    expectSpread(all, claim)
    expect(extremes(all, claim)[1]).toBeLessThanOrEqual(1.05)
  })

  test('zones of unequal size bear what the spread asks of them', () => {
    const zones = ['a', 'b', 'c', 'd', 'd', 'd', 'd', 'd', 'd', 'd']
    const all = zones.map((zone, i) => member(i + 1, zone))
    const claim = claimPartitions(all, partitions, n)
    expectSpread(all, claim)
    expect(extremes(all, claim)[1]).toBeLessThanOrEqual(1.05)
  })

  test('one machine with many nodes holds one replica of each partition', () => {
    const all = Array.from({ length: 12 }, (_, i) => member(i + 1, 'z', `h${i % 3}`))
    const claim = claimPartitions(all, partitions, n)
    expectSpread(all, claim)
    expect(extremes(all, claim)[1]).toBeLessThanOrEqual(1.05)
  })

  test('fewer members than n all own everything', () => {
    expect(claimPartitions(members(2), 4, 3).every((owners) => owners.length === 2)).toBe(true)
    expect(claimPartitions([], 4, 3)).toEqual([[], [], [], []])
  })
})

describe('one joins, one leaves', () => {
  // From claims that joins and leaves have already shaped, not only from new ones.
  test('moves at most 1.1 of a fair share, nothing between bystanders, and keeps the load', { timeout: 60_000 }, () => {
    let all = members(3)
    let claim = claimPartitions(all, partitions, n)
    const change = (next: PlacementMember[], changed: number) => {
      const nextClaim = claimPartitions(next, partitions, n, claim)
      if (Math.min(all.length, next.length) >= n)
        expect(movedTo(claim, nextClaim, changed)).toBeLessThanOrEqual(1.1 / Math.max(all.length, next.length))
      all = next
      claim = nextClaim
      expectSpread(all, claim)
      expect(extremes(all, claim)[1], `${all.length} members`).toBeLessThanOrEqual(1.05)
    }
    let number = 3
    const join = () => change([...all, member(++number)], number)
    const leave = (at: number) => change(all.toSpliced(at % all.length, 1), all[at % all.length]!.number)
    while (all.length < 12) join()
    for (const at of [3, 1, 4, 1, 5, 9]) {
      leave(at)
      join()
    }
    while (all.length < 20) join()
    for (const at of [17, 11, 8, 3, 1]) leave(at)
    while (all.length < 95) {
      const next = [...all, ...Array.from({ length: 20 }, () => member(++number))]
      claim = claimPartitions(next, partitions, n, claim)
      all = next
    }
    for (const at of [3, 14, 15]) leave(at)
    while (all.length < 100) join()
  })

  test('in zones too, where the share of a zone bounds what moves', () => {
    for (const count of [6, 7, 8, 11, 20]) {
      const before = inZones(count, 3)
      const after = inZones(count + 1, 3)
      const claim = claimPartitions(before, partitions, n)
      const joined = claimPartitions(after, partitions, n, claim)
      expectSpread(after, joined)
      expect(extremes(after, joined)[1]).toBeLessThanOrEqual(1.05)
      const share = fairShares(after, partitions, n).get(count + 1)! / (partitions * n)
      expect(movedTo(claim, joined, count + 1)).toBeLessThanOrEqual(1.05 * share)
      const left = claimPartitions(before, partitions, n, joined)
      expectSpread(before, left)
      expect(movedTo(joined, left, count + 1)).toBeLessThanOrEqual(1.05 * share)
      expect(extremes(before, left)[1]).toBeLessThanOrEqual(1.05)
    }
  })

  test('a third zone takes a replica of every partition', () => {
    const before = inZones(4, 2)
    const after = [...before, member(5, 'z2'), member(6, 'z2')]
    const claim = claimPartitions(after, partitions, n, claimPartitions(before, partitions, n))
    expectSpread(after, claim)
    expect(extremes(after, claim)[1]).toBeLessThanOrEqual(1.05)
  })

  test('nothing changes when nobody does', () => {
    const claim = claimPartitions(members(17), partitions, n)
    expect(claimPartitions(members(17), partitions, n, claim)).toEqual(claim)
  })

  test('more replicas add owners, fewer drop some and move no more than the load asks for', () => {
    const three = claimPartitions(members(7), partitions, 3)
    const four = claimPartitions(members(7), partitions, 4, three)
    expect(ownerChanges(three, four).every(({ gained, lost }) => gained.length === 1 && lost.length === 0)).toBe(true)
    const two = claimPartitions(members(7), partitions, 2, three)
    const gained = ownerChanges(three, two).reduce((sum, change) => sum + change.gained.length, 0)
    expect(gained / (2 * partitions)).toBeLessThan(0.05)
    expect(Math.max(...loadsOf(two).values()) / ((2 * partitions) / 7)).toBeLessThanOrEqual(1.05)
  })
})

test('whatever the cluster, every partition has its owners, spread as far as they can be', () => {
  const labels = fc.record({ zone: fc.nat(4), host: fc.nat(5) })
  fc.assert(
    fc.property(
      fc.array(labels, { minLength: 1, maxLength: 14 }),
      fc.array(labels, { maxLength: 3 }),
      fc.nat(3),
      fc.integer({ min: 1, max: 5 }),
      (first, joining, leaving, copies) => {
        const all = [...first, ...joining].map(({ zone, host }, i) => member(i + 1, `z${zone}`, `h${host}`))
        const before = all.slice(0, first.length)
        const claim = claimPartitions(before, 64, copies)
        expectSpread(before, claim, copies)
        const after = all.slice(Math.min(leaving, all.length - 1))
        expectSpread(after, claimPartitions(after, 64, copies, claim), copies)
      },
    ),
    { numRuns: 100 },
  )
})

test('the order of the members makes no difference', () => {
  const all = inZones(11, 4)
  const shuffled = all.toSorted((a, b) => (a.number % 4) - (b.number % 4))
  const claim = claimPartitions(all.slice(1), partitions, n)
  expect(claimPartitions(shuffled, partitions, n)).toEqual(claimPartitions(all, partitions, n))
  expect(claimPartitions(shuffled, partitions, n, claim)).toEqual(claimPartitions(all, partitions, n, claim))
})

test('impossible arguments are refused', () => {
  expect(() => claimPartitions(members(3), 1000, 3)).toThrow(RangeError)
  expect(() => claimPartitions(members(3), 1024, 0)).toThrow(RangeError)
  expect(() => claimPartitions(members(3), 1024, 3, claimPartitions(members(3), 512, 3))).toThrow(RangeError)
})

// The table is a format too: nodes that differ in it would not understand each other's plans.
test('golden: five members on three hosts', () => {
  const all = [1, 2, 3, 4, 5].map((number) => member(number, 'z', `h${number % 3}`))
  expect(`\n${describeClaim(all, claimPartitions(all, 8, 3))}`).toMatchInlineSnapshot(`
    "
    1 z/h1      4   16.7 %  #################
    2 z/h2      4   16.7 %  #################
    3 z/h0      8   33.3 %  #################################
    4 z/h1      4   16.7 %  #################
    5 z/h2      4   16.7 %  #################

    0: 2 3 1
    1: 4 3 5
    2: 1 3 2
    3: 4 3 5
    4: 2 1 3
    5: 3 4 5
    6: 5 3 1
    7: 2 4 3"
  `)
})
