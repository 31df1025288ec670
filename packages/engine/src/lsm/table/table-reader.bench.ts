import { FoundRecord } from '../found-record.js'
import { BlockCache } from './block-cache.js'
import { MemoryReadFile } from './memory-file.test.fixture.js'
import { buildTable, fileNumber, hashOf, put, sorted } from './table.test.fixture.js'
import type { TableOptions } from './table-format.js'
import { TableReader } from './table-reader.js'

const count = 20_000
const text = 'half of the value can be compressed, and half of it can not: '
const value = (i: number) => `${text.slice(0, 50)}${Math.imul(i, 0x9e3779b1).toString(36)}`.padEnd(100, String(i))
const records = sorted(Array.from({ length: count }, (_, i) => put(`user${String(i).padStart(16, '0')}`, value(i))))
const keys = records.map(({ key }) => ({ key, hash: hashOf(key) }))

/** Finds in random order. */
function find(compression: TableOptions['compression']): () => boolean {
  const { bytes } = buildTable(records, { compression })
  const reader = TableReader.open(new MemoryReadFile('table', bytes, true), fileNumber, new BlockCache(1 << 20))
  const target = new FoundRecord()
  let i = 0
  return () => {
    i = (i + 7919) % count
    const { key, hash } = keys[i]!
    return reader.find(hash, key, 0, key.length, Number.POSITIVE_INFINITY, target)
  }
}

export const cases = {
  'block find, uncompressed': () => find('none'),
  'block find, compressed values': () => find('lz4'),
}
