import { expect, test } from 'vitest'
import type { ReadFile } from '../io/storage.js'
import { FaultStorage } from './fault-storage.js'
import { openInline } from './inline-store.js'
import { PowerCutStorage } from './power-cut-storage.js'

const keyOf = (i: number) => Buffer.from(`key${String(i).padStart(6, '0')}`)
const contentOf = (i: number) => Buffer.from(`value${i}`.repeat(8))
const options = { mappedBytes: 0, tables: { blockBytes: 256, bloomBitsPerKey: 10, compression: 'none' as const } }

/** A store of 400 records, all of them in tables that are read with pread, none in the cache. */
async function coldStore() {
  const disk = new PowerCutStorage({ mapped: true })
  const filled = await openInline(disk, options)
  for (let i = 0; i < 400; i++) filled.putSync(keyOf(i), contentOf(i))
  await filled.close()
  const storage = new FaultStorage(disk)
  const seen = { sync: 0, inFlight: 0, inFlightMax: 0 }
  const { open } = storage
  storage.open = function (path: string, mapped?: boolean): ReadFile {
    const file = open.call(this, path, mapped)
    const { read, readLater } = file
    return Object.assign(file, {
      read(...args: Parameters<typeof read>) {
        seen.sync++
        read(...args)
      },
      async readLater(...args: Parameters<typeof readLater>) {
        seen.inFlightMax = Math.max(seen.inFlightMax, ++seen.inFlight)
        await readLater(...args)
        seen.inFlight--
      },
    })
  }
  const store = await openInline(storage, options)
  seen.sync = 0
  return { store, storage, seen }
}

test('many cold reads are asked of the disk at once, and none on the calling thread', async () => {
  const { store, seen } = await coldStore()
  const numbers = Array.from({ length: 50 }, (_, i) => i * 8)
  const values = await store.getMany(numbers.map(keyOf))
  expect(values.map((value) => Buffer.from(value!).toString())).toEqual(numbers.map((i) => contentOf(i).toString()))
  expect(seen.inFlightMax).toBeGreaterThan(40)
  expect(await Promise.all([1, 9, 17].map((i) => store.get(keyOf(i))))).toHaveLength(3)
  expect(seen).toMatchObject({ sync: 0, inFlight: 0 })
  expect(await store.getMany([keyOf(399), Buffer.from('absent')])).toEqual([contentOf(399), undefined])
  await store.close()
})

test('what a compaction writes is mapped in the place of what it replaces', async () => {
  const storage = new PowerCutStorage({ mapped: true })
  const store = await openInline(storage, { ...options, mappedBytes: 120 << 10 })
  const fill = async (sizeMax: number) => {
    for (let i = 0; i < 400; i++) store.putSync(keyOf(i), Buffer.alloc(i % sizeMax, i))
    await store.flush()
    await store.compactRange()
  }
  await fill(200)
  // Twice as much fits the budget, three times does not.
  expect(store.stats().diskBytes).toBeGreaterThan(60_000)
  const { open } = storage
  const unmapped: string[] = []
  storage.open = function (path: string, mapped?: boolean): ReadFile {
    if (mapped === false) unmapped.push(path)
    return open.call(this, path, mapped)
  }
  await fill(201)
  expect(unmapped).toEqual([])
  await store.close()
})

test('a cold read is of the moment it was asked for', async () => {
  const { store } = await coldStore()
  const before = store.get(keyOf(1))
  const both = store.getMany([keyOf(2), keyOf(3)])
  for (const i of [1, 2, 3]) store.putSync(keyOf(i), Buffer.from('new'))
  expect(Buffer.from((await before)!)).toEqual(contentOf(1))
  expect((await both).map((value) => Buffer.from(value!))).toEqual([contentOf(2), contentOf(3)])
  expect(Buffer.from((await store.get(keyOf(2)))!).toString()).toBe('new')
  await store.close()
})

test('a cold read that fails is an error, and the next may succeed', async () => {
  const { store, storage } = await coldStore()
  storage.rule = ({ operation, kind }) => (operation === 'read' && kind === 'table' ? 'EIO' : undefined)
  await expect(store.get(keyOf(5))).rejects.toMatchObject({ code: 'CASKADE_IO' })
  storage.rule = ({ operation }) => (operation === 'read' ? 'flip' : undefined)
  await expect(store.getMany([keyOf(5), keyOf(200)])).rejects.toMatchObject({ code: 'CASKADE_CORRUPTION' })
  storage.rule = () => undefined
  expect(Buffer.from((await store.get(keyOf(300)))!)).toEqual(contentOf(300))
  await store.close()
})
