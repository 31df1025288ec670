import { expect, test } from 'vitest'
import { GroupCommit } from './group-commit.js'

test('writers share commits, one at a time, and are answered after theirs', async () => {
  const groups: number[][] = []
  const committed = new Set<number>()
  let running = 0
  const group = new GroupCommit(async (keys, values) => {
    expect(++running).toBe(1)
    expect(values.map((value) => value[0])).toEqual(keys.map((key) => key[0]))
    await new Promise((resolve) => setImmediate(resolve))
    groups.push(keys.map((key) => key[0]!))
    for (const key of keys) committed.add(key[0]!)
    running--
  })
  let next = 0
  const writer = async () => {
    while (next < 100) {
      const i = next++
      await group.put(Uint8Array.of(i), Uint8Array.of(i))
      expect(committed.has(i)).toBe(true)
    }
  }
  await Promise.all(Array.from({ length: 10 }, writer))
  expect(groups.flat()).toEqual(Array.from({ length: 100 }, (_, i) => i))
  expect(groups.length).toBeLessThanOrEqual(12)
})

test('a commit that fails fails its group, and the next goes on', async () => {
  let commits = 0
  const group = new GroupCommit(async () => {
    if (++commits === 1) throw new Error('disk full')
  })
  const bytes = Uint8Array.of(1)
  await expect(Promise.all([group.put(bytes, bytes), group.put(bytes, bytes)])).rejects.toThrow('disk full')
  await group.put(bytes, bytes)
  expect(commits).toBe(2)
})
