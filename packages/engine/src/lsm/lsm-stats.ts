import type { StoreStats } from '../store.js'
import type { Background } from './background.js'
import { compactionDebt, type PolicyOptions } from './compaction/compaction-policy.js'
import type { Tree } from './tree.js'
import type { WriteLog } from './write-log.js'
import type { WriteThrottle } from './write-throttle.js'

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)
const ratio = (a: number, b: number) => (b === 0 ? 1 : a / b)

/** The figures of a store; those since its opening are write amplification, stalls, cache and counters. */
export function lsmStats(
  log: WriteLog,
  tree: Tree,
  background: Background,
  { stalls }: WriteThrottle,
  policy: PolicyOptions,
): Omit<StoreStats, 'readOnlyReason'> {
  const { levels } = tree.version
  const memtables = [...log.immutables, log.active]
  const tables = [...tree.version.tables()]
  const keptBytes = sum([...tree.keptSegments].map(({ bytes }) => bytes))
  const levelBytes = levels.map((held) => sum(held.map(({ meta }) => meta.fileBytes)))
  const tableBytes = sum(levelBytes)
  const { counters } = background
  const details: Record<string, number> = {
    'lsm.memtables': memtables.length,
    'lsm.memtable.keys': sum(memtables.map(({ keys }) => keys)),
    'lsm.pausedMs': stalls.totalMs,
    'lsm.stalls': stalls.count,
    'lsm.longestStallMs': stalls.longestMs,
    'lsm.bytesWritten': log.bytesWritten,
    'lsm.kept.bytes': keptBytes,
    'lsm.debtBytes': compactionDebt(
      levels.map((held) => held.map(({ meta }) => meta)),
      policy,
    ),
    // What was written to files for each byte that was written to the store.
    'lsm.amplification.write': ratio(
      log.bytesWritten + counters.bytesFlushed + counters.bytesCompacted,
      log.bytesWritten,
    ),
    // Places that a read of an absent key asks: memtables, tables of level 0, and one table in each further level.
    'lsm.amplification.read':
      memtables.length + levels[0]!.length + levelBytes.slice(1).filter((bytes) => bytes > 0).length,
    // Bytes of all tables for each byte in the deepest level, which holds no key twice.
    'lsm.amplification.space': ratio(tableBytes, levelBytes.findLast((bytes) => bytes > 0) ?? 0),
    'lsm.cache.bytes': tree.cache.stats.bytes,
    'lsm.cache.hits': tree.cache.stats.hits,
    'lsm.cache.misses': tree.cache.stats.misses,
  }
  for (const [name, value] of Object.entries(counters)) details[`lsm.${name}`] = value
  for (const [level, bytes] of levelBytes.entries()) {
    details[`lsm.level${level}.tables`] = levels[level]!.length
    details[`lsm.level${level}.bytes`] = bytes
  }
  return {
    sequence: log.sequence,
    keysEstimate:
      sum(memtables.map(({ keys }) => keys)) + sum(tables.map(({ meta }) => meta.entries - 2 * meta.tombstones)),
    diskBytes: tableBytes + keptBytes + sum(memtables.map(({ file }) => file.capacity)),
    memoryBytes:
      sum(memtables.map(({ memoryBytes }) => memoryBytes)) +
      sum(tables.map(({ reader }) => reader.memoryBytes)) +
      tree.cache.stats.bytes,
    details,
  }
}
