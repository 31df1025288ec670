import type { Storage } from '../io/storage.js'
import type { BlockCache } from './table/block-cache.js'
import { TableReader } from './table/table-reader.js'

/** Opens a table by its path; a file that turns out to be none is closed again. */
export function openTable(
  storage: Storage,
  path: string,
  number: number,
  cache: BlockCache,
  sequenceShift = 0,
  mapped = true,
): TableReader {
  const file = storage.open(path, mapped)
  try {
    return TableReader.open(file, number, cache, sequenceShift)
  } catch (error) {
    file.close()
    throw error
  }
}
