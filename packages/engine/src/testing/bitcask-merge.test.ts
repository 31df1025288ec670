import { expect, test } from 'vitest'
import { framesStart } from '../lsm/memtable/segment-format.js'
import { openInlineBitcask } from './inline-bitcask.js'
import { PowerCutStorage } from './power-cut-storage.js'

test('a merge whose outputs hold a single record each does not run out of files', async () => {
  const store = await openInlineBitcask(new PowerCutStorage({ mapped: true }), { dataFileBytes: framesStart + 512 })
  const key = (i: number) => Buffer.from(`key ${i}`)
  const value = Buffer.alloc(300, 7)
  // One batch is in one file, however large.
  store.writeSync(Array.from({ length: 60 }, (_, i) => ({ type: 'put', key: key(i), value })))
  for (let i = 0; i < 60; i += 7) store.deleteSync(key(i))
  await store.compactRange({})
  for (let i = 0; i < 60; i++) expect(store.getSync(key(i))).toEqual(i % 7 === 0 ? undefined : value)
  expect((await store.verify()).errors).toEqual([])
  await store.close()
})
