import type { RangeTombstones } from '../range/range-tombstones.js'
import { overlap, type SpannedTable, spanOf, type TableSpan, union } from './table-span.js'

/** What the choice of a compaction needs to know of a table. */
export interface PolicyTable extends SpannedTable {
  number: number
  fileBytes: number
  entries: number
  tombstones: number
  smallestSequence: number
  largestSequence: number
  /** Records that only snapshots saw when the table was written. */
  olderVersions?: number
}

export interface PolicyOptions {
  /** Level 0 is compacted from this many tables on. */
  level0Tables: number
  /** Bytes of the first level below 0 that holds data, at least. */
  baseBytes: number
  /** How many times larger each level is than the one above. */
  growth: number
}

export const defaultPolicy: PolicyOptions = { level0Tables: 4, baseBytes: 256 << 20, growth: 10 }

export interface CompactionChoice {
  inputs: number[]
  outputLevel: number
  /** Nothing older lies below the inputs: tombstones and expired records can go. */
  bottom: boolean
  /** The inputs only change their level: nothing is rewritten. */
  move: boolean
}

/** Of level 0 the oldest so many go down together: inputs stay on disk until the outputs are there too. */
const level0InputsMax = 16

type Levels = readonly (readonly PolicyTable[])[]

const bytesOf = (tables: readonly PolicyTable[]) => tables.reduce((sum, table) => sum + table.fileBytes, 0)

const spanOfAll = (tables: readonly PolicyTable[]): TableSpan => tables.map(spanOf).reduce(union)

const overlapping = (tables: readonly PolicyTable[], inputs: readonly PolicyTable[]) => {
  const span = spanOfAll(inputs)
  return tables.filter((table) => overlap(spanOf(table), span))
}

/**
 * Target bytes of each level and the level that level 0 goes to: targets are measured from the last level upwards, so that
 * the last level always holds most of the data (RocksDB's dynamic level bytes) and space amplification stays near 1.1.
 */
export function levelTargets(levels: Levels, options: PolicyOptions): { targets: number[]; base: number } {
  const last = levels.length - 1
  const targets = levels.map(() => 0)
  let size = Math.max(options.baseBytes, ...levels.slice(1).map(bytesOf))
  let base = last
  for (; base > 1 && size > options.baseBytes; base--) {
    targets[base] = size
    size /= options.growth
  }
  targets[base] = Math.max(size, options.baseBytes)
  return { targets, base }
}

/** Bytes that are not where they should be yet: a level 0 that is due, and what other levels hold over their targets. */
export function compactionDebt(levels: Levels, options: PolicyOptions): number {
  const { targets, base } = levelTargets(levels, options)
  return levels.slice(0, -1).reduce((debt, tables, level) => {
    if (level === 0) return tables.length < options.level0Tables ? debt : debt + bytesOf(tables)
    return debt + Math.max(bytesOf(tables) - (level < base ? 0 : targets[level]!), 0)
  }, 0)
}

/**
 * The most urgent compaction, or `undefined` when the tree is in shape. A pure function of the tree.
 * Urgency: tables in level 0 over their number, bytes in a level over its target, then tables that are mostly tombstones.
 * `oldestHeld` is the oldest moment that is still read at: what is newer than it cannot all be dropped.
 */
export function chooseCompaction(
  levels: Levels,
  busy: ReadonlySet<number>,
  options: PolicyOptions,
  oldestHeld = Infinity,
): CompactionChoice | undefined {
  const { targets, base } = levelTargets(levels, options)
  const urgencies = levels
    .slice(0, -1)
    .map((tables, level) => ({ level, urgency: urgencyOf(tables, level, targets[level]!, base, options) }))
    .filter(({ urgency }) => urgency >= 1)
    .sort((a, b) => b.urgency - a.urgency)
  for (const { level } of urgencies) {
    const choice = level === 0 ? chooseLevel0(levels, base, busy) : chooseInLevel(levels, level, busy)
    if (choice !== undefined) return choice
  }
  return chooseDead(levels, busy, oldestHeld)
}

function urgencyOf(
  tables: readonly PolicyTable[],
  level: number,
  target: number,
  base: number,
  options: PolicyOptions,
): number {
  if (level === 0) return tables.length / options.level0Tables
  // A level above the base has no target: what it holds (from when the tree was smaller) moves down.
  if (level < base) return tables.length > 0 ? 1 : 0
  return bytesOf(tables) / target
}

function chooseLevel0(levels: Levels, base: number, busy: ReadonlySet<number>): CompactionChoice | undefined {
  // Data above the base is newer than the base's and older than level 0's: go to the first level that holds any.
  const firstHeld = levels.findIndex((tables, level) => level > 0 && tables.length > 0)
  const outputLevel = firstHeld === -1 ? base : Math.min(base, firstHeld)
  return choose(levels, 0, levels[0]!.slice(-level0InputsMax), outputLevel, busy)
}

/** Of a level's tables the one that drags the least of the next level along, per byte moved. */
function chooseInLevel(levels: Levels, level: number, busy: ReadonlySet<number>): CompactionChoice | undefined {
  const below = levels[level + 1]!
  const ranked = levels[level]!.filter((table) => !busy.has(table.number))
    .map((table) => ({ table, cost: bytesOf(overlapping(below, [table])) / table.fileBytes }))
    .sort((a, b) => a.cost - b.cost)
  for (const { table } of ranked) {
    const choice = choose(levels, level, [table], level + 1, busy)
    if (choice !== undefined) return choice
  }
  return undefined
}

/**
 * A table of which more than half is tombstones, or that deletes ranges, holds space below it: compact it though its level is not full.
 * In the last level, where nothing moves on, only once all of it can be dropped: or it would be rewritten for ever.
 */
function chooseDead(levels: Levels, busy: ReadonlySet<number>, oldestHeld: number): CompactionChoice | undefined {
  for (let level = 1; level < levels.length; level++) {
    const isLast = level === levels.length - 1
    for (const table of levels[level]!) {
      const dead = table.tombstones + (isLast ? (table.olderVersions ?? 0) : 0)
      if (dead * 2 <= table.entries && table.rangeSpan === undefined) continue
      if (isLast && table.largestSequence > oldestHeld) continue
      const choice = choose(levels, level, [table], Math.min(level + 1, levels.length - 1), busy)
      if (choice !== undefined) return choice
    }
  }
  return undefined
}

function choose(
  levels: Levels,
  level: number,
  chosen: readonly PolicyTable[],
  outputLevel: number,
  busy: ReadonlySet<number>,
): CompactionChoice | undefined {
  const below = level === outputLevel ? [] : overlapping(levels[outputLevel]!, chosen)
  const inputs = [...chosen, ...below]
  if (inputs.some((table) => busy.has(table.number))) return undefined
  const bottom = levels.slice(outputLevel + 1).every((tables) => overlapping(tables, inputs).length === 0)
  // In level 0 more than one table may hold a key: several never just move.
  const move =
    level !== outputLevel &&
    below.length === 0 &&
    chosen.length === 1 &&
    !(bottom && (chosen[0]!.tombstones > 0 || chosen[0]!.rangeSpan !== undefined))
  return { inputs: inputs.map((table) => table.number), outputLevel, bottom, move }
}

/** Tables of which nothing is seen any more, because newer deletions of ranges cover all they span: they can just go. */
export function chooseCovered(levels: Levels, ranges: RangeTombstones, held: readonly number[]): number[] {
  if (ranges.isEmpty) return []
  return levels
    .flat()
    .filter((table) => ranges.coversAll(spanOf(table), table.smallestSequence, table.largestSequence, held))
    .map(({ number }) => number)
}

/** Everything that overlaps a range, rewritten into the last level that holds data. */
export function chooseRange(
  levels: Levels,
  overlapsRange: (table: PolicyTable) => boolean,
): CompactionChoice | undefined {
  let inputs = levels.flat().filter(overlapsRange)
  if (inputs.length === 0) return undefined
  // Level by level, whatever overlaps the inputs must join them, or a newer record could sink below an older one.
  for (let count = 0; count !== inputs.length; ) {
    count = inputs.length
    inputs = overlapping(levels.flat(), inputs)
  }
  const deepest = levels.findLastIndex((tables) => tables.length > 0)
  return {
    inputs: inputs.map((table) => table.number),
    outputLevel: Math.max(deepest, levelTargets(levels, defaultPolicy).base),
    bottom: true,
    move: false,
  }
}
