import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareBytes } from '../../bytes.js'
import { noRanges } from '../range/range-tombstones.js'
import {
  chooseCompaction,
  chooseCovered,
  chooseRange,
  compactionDebt,
  levelTargets,
  type PolicyOptions,
  type PolicyTable,
} from './compaction-policy.js'

const options: PolicyOptions = { level0Tables: 4, baseBytes: 100, growth: 10 }
let numbers = 0

/** A table over the keys [from, to], each a byte. */
const table = (from: number, to: number, fileBytes = 10, tombstones = 0): PolicyTable => ({
  number: ++numbers,
  fileBytes,
  entries: 10,
  tombstones,
  smallestSequence: 1,
  largestSequence: 9,
  smallestKey: Uint8Array.of(from),
  largestKey: Uint8Array.of(to),
})
const levelsOf = (levels: Record<number, PolicyTable[]>) => Array.from({ length: 7 }, (_, level) => levels[level] ?? [])
const idle = new Set<number>()
const choose = (levels: Record<number, PolicyTable[]>) => chooseCompaction(levelsOf(levels), idle, options)

describe('targets', () => {
  test('grow from the last level upwards, and level 0 goes to the first that is worth having', () => {
    expect(levelTargets(levelsOf({}), options)).toMatchObject({ base: 6 })
    expect(levelTargets(levelsOf({ 6: [table(0, 9, 90)] }), options).base).toBe(6)
    const { targets, base } = levelTargets(levelsOf({ 6: [table(0, 9, 20_000)] }), options)
    expect(base).toBe(3)
    expect(targets.slice(3)).toEqual([100, 200, 2000, 20_000])
  })
})

test('the debt is what lies above its place', () => {
  const debt = (levels: Record<number, PolicyTable[]>) => compactionDebt(levelsOf(levels), options)
  expect(debt({})).toBe(0)
  expect(debt({ 0: [table(0, 9), table(0, 9), table(0, 9)], 6: [table(0, 9, 50)] })).toBe(0)
  expect(debt({ 0: Array.from({ length: 4 }, () => table(0, 9)), 6: [table(0, 9, 50)] })).toBe(40)
  expect(debt({ 4: [table(0, 9, 7)], 5: [table(0, 9, 150)], 6: [table(0, 9, 1000)] })).toBe(7 + 50)
})

describe('deleted ranges', () => {
  const deleting = (each: PolicyTable, from: number, to: number | undefined): PolicyTable => ({
    ...each,
    rangeSpan: { lower: Uint8Array.of(from), upper: to === undefined ? undefined : Uint8Array.of(to) },
  })

  test('count as part of what a table spans, but for their end', () => {
    const top = deleting(table(5, 5), 3, 7)
    const below = [table(0, 2), table(3, 3), table(6, 6), table(7, 9)]
    const choice = choose({ 5: [top], 6: below })
    expect(choice).toMatchObject({ inputs: [top, below[1]!, below[2]!].map(({ number }) => number), bottom: true })
    const open = deleting(table(5, 5), 3, undefined)
    expect(choose({ 5: [open], 6: below })?.inputs).toHaveLength(4)
  })

  test('go down, and at the bottom go away, without a full level', () => {
    const dead = deleting(table(1, 2), 1, 9)
    expect(choose({ 5: [dead], 6: [table(3, 4)] })).toMatchObject({ outputLevel: 6, bottom: true, move: false })
    expect(choose({ 6: [dead] })).toMatchObject({ inputs: [dead.number], outputLevel: 6, bottom: true })
    expect(choose({ 5: [deleting(table(1, 2), 1, 9)], 6: [] })).toMatchObject({ move: false })
  })

  test('in the last level wait until no moment before them is held, and so do tombstones and older versions', () => {
    const tables = [deleting(table(1, 2), 1, 9), table(1, 2, 10, 9), { ...table(1, 2), olderVersions: 6 }]
    for (const dead of tables) {
      expect(chooseCompaction(levelsOf({ 6: [dead] }), idle, options, 8)).toBeUndefined()
      expect(chooseCompaction(levelsOf({ 6: [dead] }), idle, options, 9)).toMatchObject({ inputs: [dead.number] })
    }
  })

  test('let tables go that they cover whole', () => {
    const ranges = noRanges.with(Uint8Array.of(2), Uint8Array.of(6), 10, [])
    const covered = [table(2, 5), deleting(table(3, 4), 2, 6)]
    const others = [table(1, 5), table(2, 6), deleting(table(3, 4), 2, 7), { ...table(3, 4), largestSequence: 10 }]
    const levels = levelsOf({ 0: [others[0]!, covered[0]!, others[1]!], 6: [covered[1]!, others[2]!, others[3]!] })
    expect(chooseCovered(levels, ranges, [])).toEqual(covered.map(({ number }) => number))
    expect(chooseCovered(levels, ranges, [4])).toEqual([])
    expect(chooseCovered(levels, noRanges, [])).toEqual([])
  })
})

describe('a choice', () => {
  test('none while the tree is in shape', () => {
    expect(choose({})).toBeUndefined()
    expect(choose({ 0: [table(0, 9), table(0, 9), table(0, 9)], 6: [table(0, 9, 100)] })).toBeUndefined()
  })

  test('all of level 0, with what it overlaps, into the last level, where tombstones can go', () => {
    const young = [table(0, 4), table(2, 5), table(1, 3), table(4, 5)]
    const old = [table(0, 2), table(3, 5), table(6, 9)]
    expect(choose({ 0: young, 6: old })).toEqual({
      inputs: [...young, ...old.slice(0, 2)].map(({ number }) => number),
      outputLevel: 6,
      bottom: true,
      move: false,
    })
  })

  test('of very many the oldest, so that what lies on disk twice is bounded', () => {
    const tables = Array.from({ length: 20 }, () => table(0, 9))
    const choice = choose({ 0: tables, 6: [table(0, 9)] })
    expect(choice!.inputs.slice(0, -1)).toEqual(tables.slice(4).map(({ number }) => number))
  })

  test('never past data that is newer than the base and older than level 0', () => {
    const young = Array.from({ length: 4 }, () => table(0, 9))
    const between = table(0, 9, 5)
    const choice = choose({ 0: young, 2: [between], 6: [table(0, 9, 90)] })
    // Level 2 is above the base: it moves down first, or level 0 joins it.
    expect(choice!.outputLevel).toBeLessThanOrEqual(3)
    expect(choice!.inputs).toContain(between.number)
  })

  test('a table that overlaps nothing below only moves, unless it has tombstones to drop', () => {
    const big = table(0, 9, 20_000)
    expect(choose({ 3: [table(20, 30, 150)], 6: [big] })).toMatchObject({ outputLevel: 4, move: true })
    expect(choose({ 3: [table(20, 30, 150, 1)], 6: [big] })).toMatchObject({
      outputLevel: 4,
      move: false,
      bottom: true,
    })
  })

  test('of an overfull level the table that drags the least along', () => {
    const cheap = table(50, 59, 80)
    const dear = table(0, 9, 80)
    const choice = choose({ 5: [dear, cheap], 6: [table(0, 4, 500), table(5, 9, 500)] })
    expect(choice!.inputs).toEqual([cheap.number])
  })

  test('a table that is mostly tombstones, at any level', () => {
    const dead = table(0, 4, 10, 6)
    expect(choose({ 6: [dead, table(5, 9)] })).toEqual({
      inputs: [dead.number],
      outputLevel: 6,
      bottom: true,
      move: false,
    })
  })
})

test('compactRange takes what overlaps at every level, and nothing else', () => {
  const levels = levelsOf({
    0: [table(3, 4)],
    5: [table(0, 3), table(7, 8)],
    6: [table(2, 2), table(4, 5), table(8, 9)],
  })
  const choice = chooseRange(levels, ({ smallestKey, largestKey }) => smallestKey[0]! <= 3 && largestKey[0]! >= 3)!
  const inputs = levels.flat().filter(({ number }) => choice.inputs.includes(number))
  expect(inputs.map(({ smallestKey }) => smallestKey[0])).toEqual([3, 0, 2, 4])
  expect(choice).toMatchObject({ outputLevel: 6, bottom: true })
  expect(chooseRange(levels, () => false)).toBeUndefined()
})

test('whatever the tree: newer never sinks below older, bottom is the bottom, and the work ends', () => {
  const disjoint = fc.array(
    fc.record({ width: fc.nat(20), gap: fc.nat(10), size: fc.integer({ min: 1, max: 300 }), dead: fc.nat(10) }),
    { maxLength: 8 },
  )
  fc.assert(
    fc.property(disjoint, fc.array(disjoint, { minLength: 6, maxLength: 6 }), (level0, sorted) => {
      const run = (made: typeof level0) => {
        let at = 0
        const tables: PolicyTable[] = []
        for (const { width, gap, size, dead } of made) {
          const from = at + gap
          at = from + width + 1
          if (at <= 250) tables.push(table(from, at - 1, size, dead))
        }
        return tables
      }
      let levels = [level0.map(({ width, gap, size, dead }) => table(gap, gap + width, size, dead)), ...sorted.map(run)]
      for (let step = 0; ; step++) {
        expect(step).toBeLessThan(500)
        const choice = chooseCompaction(levels, idle, options)
        if (choice === undefined) break
        const inputs = new Set(choice.inputs)
        const taken = levels.map((tables) => tables.filter(({ number }) => inputs.has(number)))
        const left = levels.map((tables) => tables.filter(({ number }) => !inputs.has(number)))
        const overlap = (a: PolicyTable, b: PolicyTable) =>
          compareBytes(a.smallestKey, b.largestKey) <= 0 && compareBytes(b.smallestKey, a.largestKey) <= 0
        const deepest = taken.findLastIndex((tables) => tables.length > 0)
        expect(choice.outputLevel).toBeGreaterThanOrEqual(deepest)
        const all = taken.flat()
        // What stays between an input and the output level, and older than the input, must not overlap it.
        for (const [level, tables] of taken.entries()) {
          for (const input of tables) {
            for (let below = Math.max(level, 1); below <= choice.outputLevel; below++)
              if (below > level) for (const other of left[below]!) expect(overlap(input, other)).toBe(false)
          }
        }
        if (choice.bottom)
          for (const below of left.slice(choice.outputLevel + 1))
            for (const other of below) for (const input of all) expect(overlap(input, other)).toBe(false)
        // As a run would do it: one table out of all, without its tombstones at the bottom.
        const keys = all.flatMap(({ smallestKey, largestKey }) => [smallestKey, largestKey]).sort(compareBytes)
        const merged: PolicyTable = {
          number: ++numbers,
          fileBytes: all.reduce((sum, { fileBytes }) => sum + fileBytes, 0),
          entries: all.reduce((sum, { entries }) => sum + entries, 0),
          tombstones: choice.bottom && !choice.move ? 0 : all.reduce((sum, { tombstones }) => sum + tombstones, 0),
          smallestSequence: 1,
          largestSequence: 9,
          smallestKey: keys[0]!,
          largestKey: keys.at(-1)!,
        }
        levels = left
        for (const other of levels[choice.outputLevel]!) expect(overlap(merged, other)).toBe(false)
        levels[choice.outputLevel]!.push(merged)
      }
    }),
    { numRuns: 200 },
  )
})
