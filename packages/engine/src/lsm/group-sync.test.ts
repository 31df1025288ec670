import { expect, test } from 'vitest'
import { GroupSync } from './group-sync.js'

/** Syncs that end when the test says so. */
function controlled() {
  let written = 0
  const running: { sequence: number; resolve: (sequence: number) => void; reject: (error: Error) => void }[] = []
  const group = new GroupSync(
    () => new Promise((resolve, reject) => running.push({ sequence: written, resolve, reject })),
    0,
  )
  return {
    group,
    running,
    write: () => ++written,
    finish: async () => {
      const { sequence, resolve } = running.at(-1)!
      resolve(sequence)
      await new Promise((turn) => setImmediate(turn))
    },
    fail: async () => {
      running.at(-1)!.reject(new Error('EIO'))
      await new Promise((turn) => setImmediate(turn))
    },
  }
}

test('who asks while a sync runs waits for the next one, together', async () => {
  const { group, running, write, finish } = controlled()
  const done: number[] = []
  const ask = () => {
    const sequence = write()
    void group.reach(sequence)?.then(() => done.push(sequence))
  }
  ask()
  ask()
  ask()
  expect(running).toHaveLength(1)
  await finish()
  expect(done).toEqual([1])
  expect(group.durableSequence).toBe(1)
  expect(running).toHaveLength(2)
  await finish()
  expect(done).toEqual([1, 2, 3])
  expect(group.durableSequence).toBe(3)
  expect(group.reach(3)).toBeUndefined()
  expect(running).toHaveLength(2)
})

test('only one sync runs at a time, also when asked in the very moment one ends', async () => {
  let running = 0
  let most = 0
  let written = 0
  const group: GroupSync = new GroupSync(async () => {
    most = Math.max(most, ++running)
    const sequence = written
    await null
    await null
    running--
    return sequence
  }, 0)
  const writer = async (rounds: number) => {
    for (let i = 0; i < rounds; i++) {
      const sequence = ++written
      await group.reach(sequence)
      expect(group.durableSequence).toBeGreaterThanOrEqual(sequence)
    }
  }
  await Promise.all([writer(50), writer(50), writer(30)])
  expect(most).toBe(1)
  await group.idle()
  expect(running).toBe(0)
})

test('a failure fails all who wait and all who come, without another try', async () => {
  const { group, running, write, finish, fail } = controlled()
  void group.reach(write())
  await finish()
  const first = group.reach(write())
  const second = group.reach(write())
  const results = Promise.allSettled([first, second])
  await fail()
  for (const result of await results) expect(result).toMatchObject({ status: 'rejected', reason: { message: 'EIO' } })
  await expect(group.reach(write())).rejects.toThrow('EIO')
  expect(group.reach(1)).toBeUndefined()
  expect(running).toHaveLength(2)
  await group.idle()
})
