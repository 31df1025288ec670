import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LevelError } from './level-error.js'

/**
 * Whether LevelDB (or RocksDB) wrote a directory. Its files have the names that the engine uses: CURRENT, MANIFEST-000001,
 * 000003.log. But the engine's CURRENT has a checksum behind the name.
 */
export function isLevelDb(location: string): boolean {
  try {
    return /^MANIFEST-\d+\n$/.test(readFileSync(join(location, 'CURRENT'), 'latin1'))
  } catch {
    return false
  }
}

/** Before anything reads, mends or removes files there. */
export function refuseLevelDb(location: string): void {
  if (!isLevelDb(location)) return
  throw new LevelError(
    'LEVEL_NOT_SUPPORTED',
    `${location} is a LevelDB directory, of classic-level perhaps, not one of this package. To move what it holds: npx caskade-level convert ${location} NEW_DIRECTORY`,
  )
}
