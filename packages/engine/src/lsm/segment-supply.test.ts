import { expect, test } from 'vitest'
import { storageError } from '../io/storage-error.js'
import { InlineJobs } from '../testing/inline-jobs.js'
import { PowerCutStorage } from '../testing/power-cut-storage.js'
import { SegmentSupply } from './segment-supply.js'

const capacity = 64 << 10

/** Jobs wait in `later` until they are run. */
function supplied() {
  const storage = new PowerCutStorage({ mapped: true })
  storage.makeDirectory('/d')
  const changes: string[] = []
  storage.onChange = (operation) => changes.push(operation)
  const runner = new InlineJobs(storage, () => {})
  let number = 10
  const failures: unknown[] = []
  const warnings: string[] = []
  const host = {
    allocateFile: () => number++,
    onFailure: (error: unknown) => failures.push(error),
    onWarning: ({ code }: { code: string }) => warnings.push(code),
  }
  const supply = new SegmentSupply(storage, '/d', capacity, runner, host)
  const active = storage.createSegment('/d/active', capacity, 8 << 10)
  return { storage, changes, runner, supply, active, failures, warnings }
}

test('space is allocated ahead of the writer, each step once, and the next segment is created in the second half', () => {
  const { runner, supply, active, changes } = supplied()
  const asked: string[] = []
  for (let end = 4096; end < capacity; end += 512) {
    changes.length = 0
    supply.prepare(active, end)
    runner.pump()
    if (changes.length > 0) asked.push(changes.join(' '))
    if (end + 512 > active.allocated) active.allocate(end + (8 << 10))
  }
  expect(asked.filter((change) => change === 'createSegment syncDirectory')).toHaveLength(1)
  expect(asked.length).toBeLessThan(10)
})

test('the next segment is taken when it is there, with its name on disk', () => {
  const { storage, runner, supply, active } = supplied()
  active.allocate(capacity)
  supply.prepare(active, capacity - 100)
  runner.pump()
  const taken = supply.take(0)!
  expect([taken.number, taken.file.capacity, taken.file.allocated]).toEqual([10, capacity, 8 << 10])
  expect(storage.crashClone(0, 1).list('/d')).toContain('000010.log')
  expect(supply.take(0)).toBeUndefined()
})

test('a large record finds its space in it', () => {
  const { runner, supply, active } = supplied()
  active.allocate(capacity)
  supply.prepare(active, capacity - 100)
  runner.pump()
  expect(supply.take(40_000)!.file.allocated).toBeGreaterThanOrEqual(40_000)
})

test('one that is under way is waited for', () => {
  const { supply, active } = supplied()
  active.allocate(capacity)
  supply.prepare(active, capacity - 100)
  expect(supply.take(0)!.number).toBe(10)
})

test('one that comes too late, or is too small, is removed: numbers ascend in the order of use', () => {
  const { storage, runner, supply, active } = supplied()
  active.allocate(capacity)
  supply.prepare(active, capacity - 100)
  const { wait } = runner
  runner.wait = () => {}
  expect(supply.take(0)).toBeUndefined()
  runner.wait = wait
  runner.pump()
  expect(storage.list('/d')).toEqual(['active'])
  supply.prepare(active, capacity - 100)
  runner.pump()
  expect(supply.take(capacity + 1)).toBeUndefined()
  expect(storage.list('/d')).toEqual(['active'])
})

test('closing leaves nothing behind', () => {
  const { storage, runner, supply, active } = supplied()
  active.allocate(capacity)
  supply.prepare(active, capacity - 100)
  runner.pump()
  supply.close()
  expect(storage.list('/d')).toEqual(['active'])
})

test('what fails is told; a directory that cannot be synced ends writing', () => {
  for (const [operation, code] of [
    ['createSegment', 'ENOSPC'],
    ['syncDirectory', 'EIO'],
  ] as const) {
    const { storage, runner, supply, active, failures, warnings } = supplied()
    active.allocate(capacity)
    storage.onChange = (name) => {
      if (name === operation) throw storageError(operation, '/d', Object.assign(new Error(code), { code }))
    }
    supply.prepare(active, capacity - 100)
    runner.pump()
    expect(supply.take(0)).toBeUndefined()
    expect(warnings).toEqual([code === 'EIO' ? 'CASKADE_IO' : 'CASKADE_DISK_FULL'])
    expect(failures).toHaveLength(code === 'EIO' ? 1 : 0)
  }
})
