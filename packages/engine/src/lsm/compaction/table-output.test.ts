import { expect, test } from 'vitest'
import { CorruptionError } from '../../errors.js'
import type { AppendFile } from '../../io/storage.js'
import { hashKey } from '../../key-hash.js'
import { PowerCutStorage } from '../../testing/power-cut-storage.js'
import { openTable } from '../open-table.js'
import { noRanges } from '../range/range-tombstones.js'
import { BlockCache } from '../table/block-cache.js'
import { defaultOptions, lend, put } from '../table/table.test.fixture.js'
import { TableOutput } from './table-output.js'

const file = { path: '/store/000001.sst', number: 1 }

/** A disk whose files take every byte but change one of each piece. */
function careless(storage: PowerCutStorage): PowerCutStorage {
  const { create } = storage
  storage.create = (path: string): AppendFile => {
    const target = create.call(storage, path)
    const { append } = target
    return Object.assign(target, {
      append(bytes: Uint8Array) {
        const other = bytes.slice()
        other[Math.min(100, other.length - 1)]! ^= 4
        append.call(target, other)
      },
    })
  }
  return storage
}

function write(storage: PowerCutStorage) {
  storage.makeDirectory('/store')
  const output = new TableOutput(storage, [file], Infinity, { ...defaultOptions, blockBytes: 200 }, noRanges)
  for (let i = 0; i < 50; i++) {
    const record = lend(put(`key${i + 10}`, `value ${i}`))
    output.add(record, hashKey(record.keyBytes, record.keyStart, record.keyEnd))
  }
  return output.finish()
}

test('a table that is mapped is read back before it counts, and needs no check by its readers', () => {
  const storage = new PowerCutStorage({ mapped: true })
  expect(write(storage)).toMatchObject([{ number: 1, entries: 50, checked: true }])
  expect(() => write(careless(new PowerCutStorage({ mapped: true })))).toThrow(CorruptionError)
  const reader = openTable(storage, file.path, file.number, new BlockCache(0))
  expect(reader.anyCold).toBe(true)
  reader.trust()
  expect(reader.anyCold).toBe(false)
  reader.close()
})

test('one that is read with pread is checked by each read', () => {
  const storage = new PowerCutStorage({ mapped: false })
  expect(write(storage)).toMatchObject([{ number: 1, checked: false }])
  const reader = openTable(storage, file.path, file.number, new BlockCache(0))
  reader.trust()
  expect(reader.anyCold).toBe(true)
  reader.close()
})
