import { describe, expect, test } from 'vitest'
import { storageSuite } from '../io/storage-suite.js'
import { PowerCutStorage } from './power-cut-storage.js'

for (const mapped of [true, false])
  storageSuite(`power cut storage, mapped ${mapped}`, () => new PowerCutStorage({ mapped }))

const page = (value: number) => new Uint8Array(4096).fill(value)

function filled(): PowerCutStorage {
  const storage = new PowerCutStorage({ mapped: false })
  storage.makeDirectory('/d')
  const file = storage.create('/d/a')
  file.append(page(1))
  storage.syncDirectory('/d')
  file.sync()
  for (let i = 2; i < 40; i++) file.append(page(i))
  return storage
}

const pagesOf = (storage: PowerCutStorage, path: string) => {
  const content = storage.contentOf(path)
  return Array.from({ length: content.length / 4096 }, (_, i) => content[i * 4096]!)
}
const all = Array.from({ length: 39 }, (_, i) => i + 1)

describe('after a crash', () => {
  test('of the process nothing is lost', () => {
    const clone = filled().processCrashClone()
    expect(pagesOf(clone, '/d/a')).toEqual(all)
    // But it is no safer for it.
    expect(pagesOf(clone.crashClone(0, 1), '/d/a')).toEqual([1])
  })

  test('of the power, un-synced pages are kept with their probability, in any order', () => {
    expect(pagesOf(filled().crashClone(0, 1), '/d/a')).toEqual([1])
    expect(pagesOf(filled().crashClone(1, 1), '/d/a')).toEqual(all)
    const half = pagesOf(filled().crashClone(0.5, 1), '/d/a')
    const kept = half.filter((value, i) => value === all[i])
    expect(half[0]).toBe(1)
    expect(kept.length).toBeGreaterThan(10)
    expect(kept.length).toBeLessThan(half.length)
    for (const [i, value] of half.entries()) expect([0, all[i]]).toContain(value)
    expect(pagesOf(filled().crashClone(0.5, 1), '/d/a')).toEqual(half)
  })

  test('a sync covers what was written before it began, when it ends', async () => {
    const storage = filled()
    const segment = storage.createSegment('/d/s', 8192)
    storage.syncDirectory('/d')
    segment.bytes.fill(1, 0, 4096)
    segment.commit(0, 4096)
    const syncing = segment.syncLater()
    segment.bytes.fill(2, 4096)
    segment.commit(4096, 8192)
    expect(storage.crashClone(0, 1).size('/d/s')).toBe(0)
    await syncing
    expect(pagesOf(storage.crashClone(0, 1), '/d/s')).toEqual([1, 0])
    expect(pagesOf(storage.crashClone(1, 1), '/d/s')).toEqual([1, 2])
  })

  test('names come and go with the sync of their directory', () => {
    const storage = filled()
    storage.rename('/d/a', '/d/b')
    storage.create('/d/c').close()
    expect(storage.list('/d')).toEqual(['b', 'c'])
    expect(storage.crashClone(0, 1).list('/d')).toEqual(['a'])
    expect(storage.crashClone(1, 1).list('/d')).toEqual(['b', 'c'])
    storage.syncDirectory('/d')
    storage.remove('/d/b')
    expect(storage.crashClone(0, 1).list('/d')).toEqual(['b', 'c'])
    expect(storage.crashClone(1, 1).list('/d')).toEqual(['c'])
  })

  test('committed is what survives the process: a mapping at once, a buffer from commit on', () => {
    for (const mapped of [true, false]) {
      const storage = new PowerCutStorage({ mapped })
      storage.makeDirectory('/d')
      const segment = storage.createSegment('/d/s', 4096)
      segment.bytes.fill(7)
      expect(pagesOf(storage.processCrashClone(), '/d/s')).toEqual([mapped ? 7 : 0])
      segment.commit(0, 4096)
      expect(pagesOf(storage.processCrashClone(), '/d/s')).toEqual([7])
    }
  })
})
