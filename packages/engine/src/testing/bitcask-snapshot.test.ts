import { expect, test } from 'vitest'
import type { BitcaskOptions, BitcaskStore } from '../bitcask/bitcask-store.js'
import type { StoreEvent } from '../store.js'
import { FaultStorage } from './fault-storage.js'
import { openInlineBitcask } from './inline-bitcask.js'
import { PowerCutStorage } from './power-cut-storage.js'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const text = (value: Uint8Array | undefined) => value && Buffer.from(value).toString()

async function opened(disk: PowerCutStorage | FaultStorage, options: Partial<BitcaskOptions> = {}) {
  const events: StoreEvent[] = []
  const store = await openInlineBitcask(disk, { onEvent: (event) => events.push(event), ...options })
  const named = (name: string) => events.filter((event) => event.name === name)
  return { store, named, source: named('recovered')[0]?.details?.source }
}

/** Merged files, deletions that pin others, an overwritten key and an expiry. */
async function closed(options: Partial<BitcaskOptions> = {}): Promise<PowerCutStorage> {
  const disk = new PowerCutStorage({ mapped: true })
  const { store } = await opened(disk, options)
  for (let i = 0; i < 40; i++) store.putSync(bytes(`key ${i}`), bytes(`value ${i}`))
  await store.compactRange()
  for (let i = 0; i < 40; i += 3) store.deleteSync(bytes(`key ${i}`))
  for (let i = 1; i < 40; i += 3) store.putSync(bytes(`key ${i}`), bytes(`new ${i}`), { expiresAt: 1e12 + i })
  await store.close()
  return disk
}

function expectContent(store: BitcaskStore, label = ''): void {
  for (let i = 0; i < 40; i++) {
    const expected = [undefined, `new ${i}`, `value ${i}`][i % 3]
    expect(text(store.getSync(bytes(`key ${i}`))), `key ${i} ${label}`).toBe(expected)
  }
}

const snapshots = (disk: PowerCutStorage) => disk.list('/store').filter((name) => name.endsWith('.keydir'))
const accounts = (store: BitcaskStore) => {
  const { details, sequence, keysEstimate } = store.stats()
  return [sequence, keysEstimate, details['bitcask.recordBytes'], details['bitcask.liveBytes']]
}

test('an open after a clean close reads the snapshot, knows all that hints tell, and consumes it', async () => {
  const disk = await closed()
  expect(snapshots(disk)).toHaveLength(1)
  const withoutIt = disk.processCrashClone()
  withoutIt.remove(`/store/${snapshots(disk)[0]}`)
  const hinted = await opened(withoutIt)
  expect(hinted.source).toBe('hints')
  expect(hinted.named('keydir-unusable')).toHaveLength(1)
  const { store, source, named } = await opened(disk)
  expect(source).toBe('snapshot')
  expect(named('keydir-unusable')).toEqual([])
  expect(snapshots(disk)).toEqual([])
  expectContent(store)
  expect(accounts(store)).toEqual(accounts(hinted.store))
  await store.compactRange()
  expectContent(store, 'merged')
  expect((await store.verify()).errors).toEqual([])
  await store.close()
  await hinted.store.close()
})

test('a process that dies after the open leaves none that could be believed', async () => {
  const disk = await closed()
  const old = disk.contentOf(`/store/${snapshots(disk)[0]}`).slice()
  const [name] = snapshots(disk)
  const { store } = await opened(disk)
  store.putSync(bytes('key 0'), bytes('after'))
  const crashed = disk.processCrashClone()
  // Even if its removal is undone.
  crashed.place(`/store/${name}`, old)
  const again = await opened(crashed)
  expect(again.source).toBe('hints')
  expect(text(again.store.getSync(bytes('key 0')))).toBe('after')
  expect(snapshots(crashed)).toEqual([])
  await again.store.close()
  await store.close()
})

test('whatever is wrong with it, hints say the same', async () => {
  const intact = await closed()
  const [name] = snapshots(intact)
  const path = `/store/${name}`
  const content = intact.contentOf(path).slice()
  const damages: [string, Uint8Array | undefined][] = [
    ['missing', undefined],
    ['junk behind it', Buffer.concat([content, Buffer.alloc(100, 'junk')])],
    ['blank', new Uint8Array(content.length)],
  ]
  for (let length = 0; length < content.length; length += 331)
    damages.push([`cut to ${length}`, content.slice(0, length)])
  for (let at = 0; at < content.length; at++) {
    const flipped = content.slice()
    flipped[at]! ^= 1 << (at % 8)
    if (at < 64 || at % 31 === 0) damages.push([`byte ${at}`, flipped])
  }
  for (const [label, damaged] of damages) {
    const disk = intact.processCrashClone()
    if (damaged === undefined) disk.remove(path)
    else disk.place(path, damaged)
    const { store, source, named } = await opened(disk)
    expect(source, label).toBe('hints')
    expect(named('keydir-unusable'), label).toMatchObject([{ level: 'warn', details: { file: path } }])
    expectContent(store, label)
    await store.close()
    expect(disk.openFiles, label).toBe(0)
  }
})

test('a small store writes none; neither does one that could not settle everything', async () => {
  expect(snapshots(await closed({ snapshotKeysMin: 27 }))).toEqual([])
  expect(snapshots(await closed({ snapshotKeysMin: 26 }))).toHaveLength(1)
  const disk = new PowerCutStorage({ mapped: true })
  const storage = new FaultStorage(disk)
  const { store } = await opened(storage)
  for (let i = 0; i < 40; i++) store.putSync(bytes(`key ${i}`), bytes('value'))
  storage.rule = ({ operation, kind }) => (operation === 'create' && kind === 'hint' ? 'ENOSPC' : undefined)
  await store.close()
  expect(snapshots(disk)).toEqual([])
})

test('a close that has no room for it says so, and leaves nothing of it', async () => {
  for (const fault of ['ENOSPC', 'short'] as const) {
    const disk = new PowerCutStorage({ mapped: true })
    const storage = new FaultStorage(disk)
    const { store, named } = await opened(storage)
    for (let i = 0; i < 40; i++) store.putSync(bytes(`key ${i}`), bytes('value'))
    storage.rule = ({ operation, kind }) => (operation === 'append' && kind === 'keydir' ? fault : undefined)
    await store.close()
    expect(named('keydir-unsaved')).toHaveLength(1)
    expect(snapshots(disk)).toEqual([])
    expect(disk.openFiles).toBe(0)
    const again = await opened(disk)
    expect(again.source).toBe('hints')
    expect(again.named('keydir-unusable')).toEqual([])
    await again.store.close()
  }
})

test('who opens for reading only leaves it for the next', async () => {
  const disk = await closed()
  for (let i = 0; i < 2; i++) {
    const { store, source } = await opened(disk, { readOnly: true })
    expect(source).toBe('snapshot')
    expectContent(store)
    await store.close()
  }
  const copied = await opened(disk, { readOnly: true })
  await copied.store.checkpoint('/copy')
  await copied.store.close()
  expect(disk.list('/copy').filter((name) => name.endsWith('.keydir'))).toEqual([])
  expect((await opened(disk)).source).toBe('snapshot')
})
