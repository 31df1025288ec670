import type { StoreStats } from '@caskade/engine'

const levelsMin = 7
const mebibytes = (bytes: number) => (bytes / 2 ** 20).toFixed(1)

interface LevelFigures {
  tables: number
  bytes: number
}

function levelsOf({ details }: StoreStats): LevelFigures[] {
  const levels: LevelFigures[] = []
  for (let level = 0; level < levelsMin || `lsm.level${level}.tables` in details; level++) {
    levels.push({ tables: details[`lsm.level${level}.tables`] ?? 0, bytes: details[`lsm.level${level}.bytes`] ?? 0 })
  }
  return levels
}

/** What `db.getProperty(name)` answers; the empty string for a name that is none. */
export function levelProperty(name: string, stats: () => StoreStats): string {
  const files = /^leveldb\.num-files-at-level(\d+)$/.exec(name)
  if (files !== null) return levelsOf(stats())[Number(files[1])]?.tables.toString() ?? ''
  switch (name) {
    case 'leveldb.approximate-memory-usage':
      return stats().memoryBytes.toString()
    case 'leveldb.sstables':
      return levelsOf(stats())
        .map(({ tables, bytes }, level) => {
          const held = tables === 0 ? '' : ` ${tables} ${tables === 1 ? 'table' : 'tables'}, ${bytes} bytes\n`
          return `--- level ${level} ---\n${held}`
        })
        .join('')
    case 'leveldb.stats':
      return statsText(stats())
    default:
      return ''
  }
}

function statsText(stats: StoreStats): string {
  const lines = ['       Tables', 'Level  Files Size(MB)', '---------------------']
  for (const [level, { tables, bytes }] of levelsOf(stats).entries()) {
    if (tables > 0)
      lines.push(`${String(level).padStart(3)} ${String(tables).padStart(8)} ${mebibytes(bytes).padStart(8)}`)
  }
  lines.push('')
  for (const [name, value] of Object.entries(stats.details)) {
    if (!/^lsm\.level\d/.test(name)) lines.push(`${name} ${value}`)
  }
  return `${lines.join('\n')}\n`
}
