import { expect, test } from 'vitest'
import type { BitcaskOptions, BitcaskStore } from '../bitcask/bitcask-store.js'
import { framesStart } from '../lsm/memtable/segment-format.js'
import { openInlineBitcask } from './inline-bitcask.js'
import { PowerCutStorage } from './power-cut-storage.js'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const text = (value: Uint8Array | undefined) => value && Buffer.from(value).toString()

/** Only files of which more than half is dead are merged by themselves. */
const partial = { smallFiles: 1000, totalDeadRatioMax: 1, deadRatioMax: 0.5 }

function open(disk: PowerCutStorage, options: Partial<BitcaskOptions> = {}, later?: (run: () => void) => void) {
  return openInlineBitcask(disk, { policy: partial, ...options }, later)
}

function fill(store: BitcaskStore, name: string, value: string): void {
  for (let i = 0; i < 30; i++) store.putSync(bytes(`${name} ${i}`), bytes(`${value} ${i}`))
}

async function merged(store: BitcaskStore, merges: number): Promise<void> {
  for (let i = 0; i < 1000 && store.stats().details['bitcask.merges']! < merges; i++) await null
  expect(store.stats().details['bitcask.merges']).toBe(merges)
}

/** What a process finds that opens the directory now, with hints and without, and after it has merged everything. */
async function afterRestart(disk: PowerCutStorage, check: (store: BitcaskStore) => void, options = {}): Promise<void> {
  for (const hints of [true, false]) {
    const clone = disk.processCrashClone()
    if (!hints) for (const name of clone.list('/store')) if (name.endsWith('.hint')) clone.remove(`/store/${name}`)
    const store = await open(clone, options)
    check(store)
    await store.compactRange()
    check(store)
    await store.close()
    const again = await open(clone, options)
    check(again)
    await again.close()
  }
}

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

test('a deleted key does not return after a merge of the tombstone’s file alone, and a restart', async () => {
  const disk = new PowerCutStorage({ mapped: true })
  const store = await open(disk)
  fill(store, 'kept', 'value')
  store.putSync(bytes('gone'), bytes('old'))
  await store.flush()
  store.deleteSync(bytes('gone'))
  fill(store, 'dying', 'first')
  await store.flush()
  fill(store, 'dying', 'second')
  await store.flush()
  await merged(store, 1)
  // An older file has the key.
  expect(store.stats().details['bitcask.tombstonesDropped']).toBe(0)
  const check = (found: BitcaskStore) => {
    expect(text(found.getSync(bytes('gone')))).toBeUndefined()
    expect(text(found.getSync(bytes('kept 3')))).toBe('value 3')
    expect(text(found.getSync(bytes('dying 3')))).toBe('second 3')
  }
  check(store)
  await afterRestart(disk, check)
  await store.compactRange()
  expect(store.stats().details['bitcask.tombstonesDropped']).toBe(1)
  check(store)
  await afterRestart(disk, check)
  await store.close()
})

const races: { name: string; race: (store: BitcaskStore) => void; expected: string | undefined }[] = [
  { name: 'a delete', race: (store) => store.deleteSync(bytes('key 7')), expected: undefined },
  { name: 'an overwrite', race: (store) => store.putSync(bytes('key 7'), bytes('new')), expected: 'new' },
  {
    name: 'a delete and a new put',
    race: (store) => {
      store.deleteSync(bytes('key 7'))
      store.putSync(bytes('key 7'), bytes('again'))
    },
    expected: 'again',
  },
]

test.each(races)('$name at any step of a merge is not undone by it', async ({ race, expected }) => {
  let over = false
  for (let steps = 0; !over; steps++) {
    expect(steps).toBeLessThan(50)
    const due: (() => void)[] = []
    const disk = new PowerCutStorage({ mapped: true })
    const store = await open(disk, {}, (run) => due.push(run))
    fill(store, 'key', 'old')
    const compaction = store.compactRange().finally(() => {
      over = true
    })
    over = false
    const run = async (count: number) => {
      for (let taken = 0; taken < count && !over; ) {
        const next = due.shift()
        if (next !== undefined) taken++
        next?.()
        await new Promise(setImmediate)
      }
    }
    await run(steps)
    const raced = !over
    race(store)
    const check = (found: BitcaskStore) => {
      expect(text(found.getSync(bytes('key 7'))), `after ${steps} steps`).toBe(expected)
      expect(text(found.getSync(bytes('key 8')))).toBe('old 8')
      expect([...found.scan()]).toHaveLength(expected === undefined ? 29 : 30)
    }
    check(store)
    await run(Infinity)
    await compaction
    check(store)
    await afterRestart(disk, check)
    const closing = store.close()
    const closed = closing.then(() => true)
    while (!(await Promise.race([closed, new Promise((resolve) => setImmediate(resolve, false))]))) due.shift()?.()
    over = !raced
    if (over) expect(steps).toBeGreaterThan(3)
  }
})

test('a clock that goes backwards neither picks an older value nor revives one below an expired record', async () => {
  let now = 1000
  const clock = () => now
  const disk = new PowerCutStorage({ mapped: true })
  const store = await open(disk, { clock })
  fill(store, 'kept', 'value')
  store.putSync(bytes('a'), bytes('old'))
  store.putSync(bytes('b'), bytes('written late'), { writtenAt: 1000 })
  await store.flush()
  store.putSync(bytes('a'), bytes('expires'), { expiresAt: 500 })
  fill(store, 'dying', 'first')
  await store.flush()
  now = 10
  store.putSync(bytes('b'), bytes('written early'), { writtenAt: 10 })
  expect(text(store.getSync(bytes('a')))).toBe('expires')
  now = 1000
  fill(store, 'dying', 'second')
  await store.flush()
  // It drops the record that has expired: what is left is a tombstone.
  await merged(store, 1)
  now = 10
  const check = (found: BitcaskStore) => {
    expect(text(found.getSync(bytes('a')))).toBeUndefined()
    expect(text(found.getSync(bytes('b')))).toBe('written early')
    expect(text(found.getSync(bytes('dying 3')))).toBe('second 3')
  }
  check(store)
  await afterRestart(disk, check, { clock })
  await store.close()
})
