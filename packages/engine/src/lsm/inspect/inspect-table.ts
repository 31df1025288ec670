import type { Storage } from '../../io/storage.js'
import { salvageTable } from '../repair/table-salvage.js'
import { BlockCache } from '../table/block-cache.js'
import { TableReader } from '../table/table-reader.js'
import { escaped, hex, line } from './inspect-text.js'
import { recordText } from './record-text.js'

/** What the table says of itself, and every record that can be read. Memory: none where files are mapped, else the table's size. */
export function* inspectTable(storage: Storage, path: string, number: number): Generator<string> {
  const file = storage.open(path)
  try {
    yield line(0, `table ${number}, ${file.size} bytes`)
    try {
      const reader = TableReader.open(file, number, new BlockCache(1 << 20))
      const { entries, tombstones, smallestKey, largestKey, smallestSequence, largestSequence, digest } = reader.summary
      yield line(0, `header, footer, properties, filter and index: checksums ok, digest ${hex(digest)}`)
      yield line(
        0,
        `${entries} records, ${tombstones} of them deletions, sequences ${smallestSequence} to ${largestSequence}`,
      )
      yield line(0, `keys ${escaped(smallestKey)} to ${escaped(largestKey)}`)
      reader.verify()
      yield line(0, 'every block: checksum ok')
    } catch (error) {
      yield line(0, `DAMAGED: ${(error as Error).message}`)
    }
    const { ranges, records } = salvageTable(file, number, 0)
    for (const { lower, upper, sequences } of ranges.fragments)
      yield line(
        0,
        `delete range from ${escaped(lower)} to ${upper === undefined ? 'the end' : escaped(upper)} sequences ${sequences.join(', ')}`,
      )
    for (const record of records) yield line(0, recordText(record)).replace(/^ +0/, ' '.repeat(10))
  } finally {
    file.close()
  }
}
