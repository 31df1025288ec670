import { expect, test } from 'vitest'
import type { LsmOptions } from '../lsm/lsm-store.js'
import type { KeyRange, Store } from '../store.js'
import { openInline } from './inline-store.js'
import { PowerCutStorage } from './power-cut-storage.js'
import { tableDataEnd } from './table-data-end.js'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const text = (value: Uint8Array) => Buffer.from(value).toString()
const keyOf = (i: number) => `key${String(i).padStart(4, '0')}`
const count = 1000
const all = Array.from({ length: count }, (_, i) => keyOf(i))
const options: Partial<LsmOptions> = { damagedTables: 'set-aside' }

/** One level of tables; a bit flipped in the middle of the data blocks of one. */
async function damagedDisk(): Promise<PowerCutStorage> {
  const disk = new PowerCutStorage({ mapped: true })
  const store = await openInline(disk)
  for (const key of all) store.putSync(bytes(key), bytes(`value of ${key}`))
  await store.compactRange()
  await store.close()
  const table = disk.list('/store').find((name) => name.endsWith('.sst'))!
  const content = disk.contentOf(`/store/${table}`)
  content[tableDataEnd(content) >>> 1]! ^= 1
  return disk
}

function scan(store: Store, range: KeyRange = {}) {
  const told: KeyRange[] = []
  const keys = [...store.scan({ ...range, onDamage: (damage) => told.push(damage) })].map(({ key }) => text(key))
  return { keys, told }
}

const isWithin = (key: string, { gte, lt }: KeyRange) => key >= text(gte!) && (lt === undefined || key < text(lt))

/** As whoever has the records from elsewhere does it. */
function replace(store: Store, ranges: readonly KeyRange[]): void {
  for (const range of ranges)
    store.atomic(() => {
      store.deleteRangeSync(range)
      for (const key of all) if (isWithin(key, range)) store.putSync(bytes(key), bytes(`again ${key}`))
    })
}

test.each([false, true])(
  'a scan goes past a damaged block, and tells whose keys it may miss (reverse %s)',
  async (reverse) => {
    const store = await openInline(await damagedDisk(), options)
    expect(() => [...store.scan({ reverse })]).toThrow(expect.objectContaining({ code: 'CASKADE_CORRUPTION' }))
    const told: KeyRange[] = []
    const keys = [...store.scan({ reverse, onDamage: (range) => told.push(range) })].map(({ key }) => text(key))
    const missing = all.filter((key) => !keys.includes(key))
    expect(missing.length).toBeGreaterThan(10)
    expect(all.filter((key) => isWithin(key, told[0]!))).toEqual(missing)
    expect(keys).toEqual(all.filter((key) => !missing.includes(key)).sort((a, b) => (a < b !== reverse ? -1 : 1)))
    await store.close()
  },
)

test('only the part of the damage that lies in the range is told; what is behind the range is nobody’s concern', async () => {
  const store = await openInline(await damagedDisk(), options)
  const [damage] = scan(store).told
  const first = all.findIndex((key) => isWithin(key, damage!))
  const range = { gte: bytes(keyOf(first + 2)), lt: bytes(keyOf(first + 4)) }
  expect(scan(store, range)).toEqual({ keys: [], told: [range] })
  const before = { gte: bytes(keyOf(first - 5)), lt: bytes(keyOf(first)) }
  expect([...store.scan(before)].map(({ key }) => text(key))).toEqual(all.slice(first - 5, first))
  await store.close()
})

test('once its range has been deleted and written again, nobody misses the block: scans, compactions, the next open', async () => {
  const disk = await damagedDisk()
  const store = await openInline(disk, options)
  const { told } = scan(store)
  const before = store.snapshot()
  replace(store, told)
  expect([...store.scan()].map(({ key }) => text(key))).toEqual(all)
  expect(() => [...store.scan({ snapshot: before })]).toThrow(expect.objectContaining({ code: 'CASKADE_CORRUPTION' }))
  before.close()
  await store.compactRange()
  expect((await store.verify()).errors).toEqual([])
  await store.close()
  const again = await openInline(disk)
  expect([...again.scan()].map(({ key }) => text(key))).toEqual(all)
  await again.close()
})

test('a get whose filter is wrong about a damaged block: absent, where the block cannot have the key or no longer counts', async () => {
  const store = await openInline(await damagedDisk(), options)
  const get = (key: string) => store.getSync(bytes(key))
  // One filter in a hundred is wrong: of so many keys some are looked for in the last block, or in the damaged one.
  const others = Array.from({ length: 2000 }, (_, i) => `zzz${i}`)
  for (const key of others) expect(get(key)).toBeUndefined()
  const { told } = scan(store)
  const damaged = all.filter((key) => isWithin(key, told[0]!))
  for (const key of damaged) expect(() => get(key)).toThrow(expect.objectContaining({ code: 'CASKADE_CORRUPTION' }))
  store.atomic(() => {
    store.deleteRangeSync(told[0]!)
    store.putSync(bytes(damaged[3]!), bytes('again'))
  })
  expect(damaged.filter((key) => get(key) !== undefined)).toEqual([damaged[3]])
  const inside = Array.from({ length: 2000 }, (_, i) => `${damaged[3]}/${i}`)
  for (const key of inside) expect(get(key)).toBeUndefined()
  await store.flush()
  expect(text(store.getEntry(bytes(damaged[3]!), {})!.value)).toBe('again')
  expect(damaged.filter((key) => get(key) !== undefined)).toEqual([damaged[3]])
  await store.close()
})

test('a range that was written again in part leaves the rest damaged', async () => {
  const store = await openInline(await damagedDisk(), options)
  const [{ gte, lt }] = scan(store).told as [KeyRange]
  const middle = bytes(all.filter((key) => isWithin(key, { gte, lt } as KeyRange))[5]!)
  replace(store, [{ gte, lt: middle } as KeyRange])
  expect(scan(store).told).toEqual([{ gte, lt }])
  expect([...store.scan({ lt: middle })].map(({ key }) => text(key))).toEqual(all.filter((key) => key < text(middle)))
  await expect(store.compactRange()).rejects.toMatchObject({ code: 'CASKADE_CORRUPTION' })
  await store.close()
})

test('set aside: compactions that meet damage leave the store writable, and go on when a range has been deleted', async () => {
  const events: string[] = []
  const store = await openInline(await damagedDisk(), { ...options, onEvent: ({ name }) => events.push(name) })
  await expect(store.compactRange()).rejects.toMatchObject({ code: 'CASKADE_CORRUPTION' })
  for (let round = 0; round < 8; round++) {
    for (const key of all) store.putSync(bytes(key), bytes(`newer ${round}`))
    await store.flush()
  }
  expect(events).toContain('tables-set-aside')
  expect(store.stats().readOnlyReason).toBeUndefined()
  replace(store, scan(store).told)
  await store.flush()
  await store.compactRange()
  expect((await store.verify()).errors).toEqual([])
  expect([...store.scan()]).toHaveLength(count)
  await store.close()
})
