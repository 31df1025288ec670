import { overlap, type SpannedTable, spanOf, type TableSpan } from '../compaction/table-span.js'

/** A compaction under way: where its output will lie. */
export interface RunningCompaction {
  span: TableSpan
  outputLevel: number
}

/**
 * The deepest level for a table that is newer than all of `levels`: neither it nor any level above may say anything of its span,
 * for what is found higher counts as newer. Nor the level that a running compaction writes to, whose output may span
 * gaps that its inputs have. Level 0 always takes it.
 */
export function ingestLevel(
  table: SpannedTable,
  levels: readonly (readonly SpannedTable[])[],
  running: RunningCompaction | undefined,
): number {
  const span = spanOf(table)
  let deepest = 0
  for (const [level, held] of levels.entries()) {
    if (held.some((other) => overlap(span, spanOf(other)))) break
    if (running?.outputLevel === level && overlap(span, running.span)) continue
    deepest = level
  }
  return deepest
}
