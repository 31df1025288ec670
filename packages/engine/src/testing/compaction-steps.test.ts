import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { FaultStorage } from './fault-storage.js'
import { openInline, storeDirectory } from './inline-store.js'
import { PowerCutStorage } from './power-cut-storage.js'

const count = 160
const keyOf = (i: number) => Buffer.from(`key${String(i).padStart(3, '0')}`)
const values = Array.from({ length: count }, () => randomBytes(256 << 10))

/** A compaction whose outputs, ten tables of 4 MiB, are not all open yet. */
async function halfEntered() {
  const disk = new PowerCutStorage({ mapped: true })
  const storage = new FaultStorage(disk)
  const options = {
    memtableBytes: 64 << 20,
    tableBytes: 4 << 20,
    policy: { level0Tables: 4, baseBytes: 1 << 30, growth: 4 },
  }
  const store = await openInline(storage, options)
  for (const [i, value] of values.entries()) store.putSync(keyOf(i), value)
  await store.flush()
  const tables = () => disk.list(storeDirectory).filter((name) => name.endsWith('.sst'))
  const [input] = tables()
  const compacted = store.compactRange().then(
    () => undefined,
    (error: unknown) => error,
  )
  for (let turn = 0; turn < 100 && tables().length === 1; turn++) await Promise.resolve()
  for (let turn = 0; turn < 10; turn++) await Promise.resolve()
  expect(store.stats().details['lsm.compactions']).toBe(0)
  expect(tables().length).toBeGreaterThan(8)
  const reopen = () => openInline(disk, options)
  return { disk, storage, store, compacted, tables, input: input!, reopen }
}

function expectAll(store: { getSync(key: Uint8Array): Uint8Array | undefined }): void {
  for (const [i, value] of values.entries()) expect(Buffer.compare(store.getSync(keyOf(i))!, value)).toBe(0)
}

test('tables that a compaction wrote are opened a few at a time, and entered at once', async () => {
  const { disk, store, compacted, tables, input } = await halfEntered()
  expectAll(store)
  store.putSync(keyOf(count), Buffer.from('meanwhile'))
  expect(await compacted).toBeUndefined()
  expect(store.stats().details['lsm.compactions']).toBe(1)
  expectAll(store)
  expect(Buffer.from(store.getSync(keyOf(count))!).toString()).toBe('meanwhile')
  await store.close()
  expect(tables()).not.toContain(input)
  expect(disk.openFiles).toBe(0)
})

test('a caller that never comes back to the event loop makes the steps itself', async () => {
  const { store } = await halfEntered()
  for (let i = 0; i < 16; i++) store.putSync(keyOf(i), values[i]!)
  expect(store.stats().details['lsm.compactions']).toBe(1)
  expectAll(store)
  await store.close()
})

test('a clear in the midst of it leaves nothing of them', async () => {
  const { disk, store, compacted, tables } = await halfEntered()
  await store.clear()
  expect(await compacted).toBeUndefined()
  expect(store.getSync(keyOf(1))).toBeUndefined()
  await store.close()
  expect(tables()).toEqual([])
  expect(disk.openFiles).toBe(0)
})

test('a close in the midst of it keeps the inputs', async () => {
  const { disk, store, compacted, tables, input, reopen } = await halfEntered()
  await store.close()
  expect(await compacted).toMatchObject({ code: 'CASKADE_CLOSED' })
  expect(disk.openFiles).toBe(0)
  const again = await reopen()
  expectAll(again)
  expect(tables()).toEqual([input])
  await again.close()
})

test('a table that cannot be opened stops the store, and nothing is lost', async () => {
  const { disk, storage, store, compacted, reopen } = await halfEntered()
  storage.rule = ({ operation, kind }) => (operation === 'open' && kind === 'table' ? 'EIO' : undefined)
  expect(await compacted).toMatchObject({ code: 'CASKADE_IO' })
  storage.rule = () => undefined
  expectAll(store)
  expect(() => store.putSync(keyOf(0), values[0]!)).toThrow()
  await store.close().catch(() => {})
  expect(disk.openFiles).toBe(0)
  const again = await reopen()
  expectAll(again)
  await again.close()
})
