import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryStore, type OpenOptions, openStore, type Store } from '@caskade/engine'
import { openInline, openInlineBitcask, PowerCutStorage, storeDirectory, tableDataEnd } from '@caskade/engine/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { slotOf, slots } from '../placement/slot.js'
import { EngineReplicaStore, replicaEngineOptions } from './engine-replica-store.js'
import { tagLayout } from './key-layout.js'
import { isInStretch, joinStretches } from './key-stretch.js'
import { type KeyStretch, replicaKeyBytesMax } from './replica-store.js'
import { replicaStoreSuite } from './replica-store-suite.js'
import { storeErrorCode } from './store-error.js'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const text = (value: Uint8Array | undefined) => value && Buffer.from(value).toString()
const silent = { onDurable: () => {}, onSyncFailed: () => {} }

const cleanUps: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

async function inTemporaryDirectory(options: OpenOptions): Promise<Store> {
  const directory = mkdtempSync(join(tmpdir(), 'caskade-replica-'))
  const store = await openStore(directory, { memtableBytes: 64 << 10, ...options })
  cleanUps.push(async () => {
    await store.close()
    rmSync(directory, { recursive: true })
  })
  return store
}

function suite(name: string, open: () => Promise<Store>): void {
  replicaStoreSuite(name, async () => {
    const store = await open()
    return { open: () => new EngineReplicaStore(store, silent), durable: async () => store.durable() }
  })
}
suite('the engine in memory', async () => new MemoryStore({}))
suite('LSM', () => inTemporaryDirectory({}))
suite('LSM, each write on disk', () => inTemporaryDirectory({ durability: 'sync' }))
suite('Bitcask', () => inTemporaryDirectory({ store: 'bitcask', dataFileBytes: 64 << 10 }))
suite('Bitcask, each write on disk', () => inTemporaryDirectory({ store: 'bitcask', durability: 'sync' }))

/** A store on a disk that loses power, syncing when asked. */
const openers = {
  LSM: (storage: PowerCutStorage) => openInline(storage, { durability: 'sync' }),
  Bitcask: (storage: PowerCutStorage) => openInlineBitcask(storage, { durability: 'sync' }),
}

describe.each(Object.entries(openers))('durability over %s', (_, openOn) => {
  test('what is durable survives a power cut, and the next open says that the rest may be lost', async () => {
    const storage = new PowerCutStorage({ mapped: true })
    const engine = await openOn(storage)
    let rises = 0
    const store = new EngineReplicaStore(engine, { ...silent, onDurable: () => rises++ })
    store.put(5, bytes('a'), bytes('synced'))
    store.sync()
    const asked = store.ticket
    store.sync()
    await engine.durable()
    expect([store.durableTicket, rises]).toEqual([asked, 1])
    store.put(5, bytes('b'), bytes('not synced'))
    expect(store.durableTicket).toBe(asked)
    const afterCut = await openOn(storage.crashClone(0, 1))
    const reopened = new EngineReplicaStore(afterCut, silent)
    expect([text(reopened.get(5, bytes('a'))), reopened.get(5, bytes('b'))]).toEqual(['synced', undefined])
    expect(reopened.lostUnsynced).toBe(true)
    await afterCut.close()
    await engine.close()
  })

  test('an orderly stop is known as one by the next open, once', async () => {
    const storage = new PowerCutStorage({ mapped: true })
    const engine = await openOn(storage)
    const store = new EngineReplicaStore(engine, silent)
    store.put(5, bytes('a'), bytes('1'))
    store.markClosed()
    expect(codeOf(() => store.put(5, bytes('a'), bytes('2')))).toBe('CASKADE_READ_ONLY')
    await engine.sync()
    await engine.close()
    const second = await openOn(storage)
    expect(new EngineReplicaStore(second, silent).lostUnsynced).toBe(false)
    await second.sync()
    const afterCut = await openOn(storage.crashClone(0, 1))
    expect(new EngineReplicaStore(afterCut, silent).lostUnsynced).toBe(true)
    await afterCut.close()
    await second.close()
  })

  test('the mark is the last write: whatever part of the log a power cut leaves, it never vouches for a lost write', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const storage = new PowerCutStorage({ mapped: true })
      const engine = await openOn(storage)
      const store = new EngineReplicaStore(engine, silent)
      for (let i = 0; i < 200; i++) store.put(5, bytes(`${i}`), Buffer.alloc(100, i))
      store.markClosed()
      const afterCut = await openOn(storage.crashClone(0.5, seed))
      const reopened = new EngineReplicaStore(afterCut, silent)
      if (!reopened.lostUnsynced) expect(reopened.scan(5, undefined, 1000)).toHaveLength(200)
      await afterCut.close()
      await engine.close()
    }
  })

  test('after a failed sync nothing becomes durable', async () => {
    const storage = new PowerCutStorage({ mapped: true })
    const engine = await openOn(storage)
    const failures: unknown[] = []
    const store = new EngineReplicaStore(engine, { ...silent, onSyncFailed: (error) => failures.push(error) })
    store.put(5, bytes('a'), bytes('1'))
    const failing = new Error('I/O error')
    engine.durable = () => Promise.reject(failing)
    const before = store.durableTicket
    store.sync()
    await new Promise(setImmediate)
    expect([store.durableTicket, failures]).toEqual([before, [failing]])
    await engine.close()
  })
})

describe('damage', () => {
  const names = Array.from({ length: 300 }, (_, i) => `key${String(i).padStart(3, '0')}`)
  const options = { durability: 'sync', ...replicaEngineOptions } as const

  /** Two partitions in one table; a bit flipped in the block where they meet. */
  async function damagedDisk(): Promise<PowerCutStorage> {
    const disk = new PowerCutStorage({ mapped: true })
    const engine = await openInline(disk, { ...options, tableBytes: 1 << 20 })
    const store = new EngineReplicaStore(engine, silent)
    for (const partition of [5, 6])
      for (const name of names) store.put(partition, bytes(name), bytes(`${partition}${name}`))
    await engine.compactRange()
    await engine.close()
    const path = `${storeDirectory}/${disk.list(storeDirectory).find((name) => name.endsWith('.sst'))}`
    const content = disk.contentOf(path)
    content[tableDataEnd(content) >>> 1]! ^= 1
    return disk
  }

  const readable = (store: EngineReplicaStore, partition: number) => {
    const damaged: KeyStretch[] = []
    const keys: string[] = []
    for (let after: Uint8Array | undefined; ; ) {
      const page = store.scanReadable(partition, after, 7)
      damaged.push(...page.damaged)
      keys.push(...page.records.map(({ key }) => text(key)!))
      if (page.upTo === undefined) return { keys, damaged: joinStretches(damaged) }
      after = page.upTo
    }
  }

  const replaceAll = (store: EngineReplicaStore, partition: number) => {
    for (const stretch of readable(store, partition).damaged) {
      const within = names.filter((name) => isInStretch(bytes(name), stretch))
      const records = within.map((name) => ({ key: bytes(name), record: bytes(`${partition}${name}`) }))
      store.replaceStretch(partition, stretch, records)
    }
  }

  test('what can be read is read, whatever is damaged between; a key written again since is whole', async () => {
    const engine = await openInline(await damagedDisk(), options)
    const store = new EngineReplicaStore(engine, silent)
    expect(codeOf(() => store.scan(5, undefined, 1000))).toBe('CASKADE_CORRUPTION')
    const before = readable(store, 5)
    const lost = names.filter((name) => !before.keys.includes(name))
    expect(lost.length).toBeGreaterThan(3)
    expect(names.filter((name) => before.damaged.some((stretch) => isInStretch(bytes(name), stretch)))).toEqual(lost)
    store.put(5, bytes(lost[1]!), bytes('again'))
    expect(names.filter((name) => !readable(store, 5).keys.includes(name))).toEqual(lost.filter((_, i) => i !== 1))
    await engine.close()
  })

  test('replaced in both partitions that the block is of, it is missed by nobody, whenever power fails', async () => {
    const disk = await damagedDisk()
    const engine = await openInline(disk, options)
    const store = new EngineReplicaStore(engine, silent)
    const clones = [disk.crashClone(1, 1)]
    for (const partition of [5, 6]) {
      replaceAll(store, partition)
      expect(store.scan(partition, undefined, 1000)).toHaveLength(names.length)
      clones.push(disk.crashClone(0, 1), disk.crashClone(0.5, 2), disk.crashClone(1, 3))
    }
    await engine.compactRange()
    expect((await engine.verify()).errors).toEqual([])
    await engine.close()
    for (const clone of clones) {
      const next = await openInline(clone, options)
      const reopened = new EngineReplicaStore(next, silent)
      for (const partition of [5, 6]) {
        // Each stretch is as damaged as it was, or whole.
        const { keys, damaged } = readable(reopened, partition)
        if (damaged.length === 0) expect(keys).toEqual(names)
        replaceAll(reopened, partition)
        expect(reopened.scan(partition, undefined, 1000).map(({ record }) => text(record))).toEqual(
          names.map((name) => `${partition}${name}`),
        )
      }
      await next.compactRange()
      expect((await next.verify()).errors).toEqual([])
      await next.close()
    }
  })
})

test.each(['lsm', 'bitcask'] as const)('%s: keys of the largest size are taken, larger ones refused', async (kind) => {
  const store = new EngineReplicaStore(await inTemporaryDirectory({ store: kind }), silent)
  const largest = new Uint8Array(replicaKeyBytesMax).fill(7)
  store.put(16_383, largest, bytes('1'))
  expect(Buffer.compare(store.scan(16_383, undefined, 2)[0]!.key, largest)).toBe(0)
  expect(() => store.put(0, new Uint8Array(replicaKeyBytesMax + 1), bytes('1'))).toThrow(RangeError)
})

test('Bitcask: names of metadata are known again after an open', async () => {
  const storage = new PowerCutStorage({ mapped: true })
  const first = await openInlineBitcask(storage)
  const names = Array.from({ length: 2000 }, (_, i) => `hint/${i}`)
  const store = new EngineReplicaStore(first, silent)
  for (const name of names) store.putMeta(name, bytes(name))
  for (const name of names.splice(500, 700)) store.removeMeta(name)
  await first.close()
  const second = await openInlineBitcask(storage)
  const found = new EngineReplicaStore(second, silent).scanMeta('hint/', undefined, 5000)
  expect(found.map(({ name, bytes }) => [name, text(bytes)])).toEqual(names.toSorted().map((name) => [name, name]))
  await second.close()
})

test('Bitcask: with 1024 partitions every slot of the engine has one of their tags', () => {
  const prefix = new Uint8Array(tagLayout.prefixBytes)
  const slotsSeen = new Set<number>()
  for (let partition = 0; partition < 1024; partition++)
    for (let part = 0; part < tagLayout.parts; part++) {
      tagLayout.writePrefix(prefix, partition, part)
      slotsSeen.add(slotOf(prefix, 0, prefix.length))
    }
  expect(slotsSeen.size).toBe(slots)
})

test('tags are all different, and hold no brace', () => {
  const seen = new Set<string>()
  const prefix = Buffer.alloc(tagLayout.prefixBytes)
  for (let partition = 0; partition < 0x1_0000; partition++)
    for (const part of [0, 3, 15]) {
      tagLayout.writePrefix(prefix, partition, part)
      const tag = prefix.toString('latin1', 1, 4)
      if (!/[{}]/.test(tag)) seen.add(tag)
    }
  expect(seen.size).toBe(3 * 0x1_0000)
})

function codeOf(act: () => unknown): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    return storeErrorCode(error)
  }
}
