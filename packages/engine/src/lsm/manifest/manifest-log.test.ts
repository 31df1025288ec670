import { expect, test } from 'vitest'
import { FaultStorage } from '../../testing/fault-storage.js'
import { PowerCutStorage } from '../../testing/power-cut-storage.js'
import { ManifestLog, readManifest } from './manifest-log.js'
import { emptyState } from './manifest-state.js'

function begin() {
  const disk = new PowerCutStorage({ mapped: false })
  disk.makeDirectory('/store')
  const storage = new FaultStorage(disk)
  return { disk, storage, log: ManifestLog.begin(storage, '/store', emptyState()) }
}

const segmentsOf = (storage: PowerCutStorage) => [...readManifest(storage, '/store')!.state.segments.keys()]

test('a state is read back, file numbers included', () => {
  const { disk, log } = begin()
  const number = log.allocateFile()
  log.append({ addSegments: [{ number, salt: 9 }], sequence: 7 })
  const { state, tail } = readManifest(disk, '/store')!
  expect(state).toEqual(log.state)
  expect(state).toMatchObject({ sequence: 7, nextFile: number + 1 })
  expect(tail.bytes).toBe(0)
})

test('an edit is durable after sync, and a new manifest replaces the old one whole', async () => {
  const { disk, log } = begin()
  log.append({ addSegments: [{ number: 10, salt: 9 }] })
  expect(segmentsOf(disk)).toEqual([10])
  expect(segmentsOf(disk.crashClone(0, 1))).toEqual([])
  await log.syncLater()
  expect(segmentsOf(disk.crashClone(0, 1))).toEqual([10])
  const first = log.path
  // More than a manifest holds.
  for (let i = 0; i < 90; i++)
    log.append({ addSegments: Array.from({ length: 1000 }, (_, j) => ({ number: 100 + j, salt: j })) })
  expect(log.path).not.toBe(first)
  log.sync()
  expect(segmentsOf(disk.crashClone(0, 1))).toHaveLength(1001)
  log.close()
  expect(disk.openFiles).toBe(0)
})

test('a failed append changes nothing; what was appended before it still has to be synced', async () => {
  const { disk, storage, log } = begin()
  log.append({ addSegments: [{ number: 10, salt: 9 }] })
  storage.rule = ({ operation }) => (operation === 'append' ? 'short' : undefined)
  expect(() => log.append({ addSegments: [{ number: 11, salt: 9 }] })).toThrow(
    expect.objectContaining({ code: 'CASKADE_DISK_FULL' }),
  )
  expect([...log.state.segments.keys()]).toEqual([10])
  expect(segmentsOf(disk.processCrashClone())).toEqual([10])
  await log.syncLater()
  expect(segmentsOf(disk.crashClone(0, 1))).toEqual([10])
  storage.rule = () => undefined
  log.append({ addSegments: [{ number: 12, salt: 9 }] })
  await log.syncLater()
  expect(segmentsOf(disk.crashClone(0, 1))).toEqual([10, 12])
})

test('a failed sync is never forgotten', async () => {
  const { storage, log } = begin()
  log.append({ addSegments: [{ number: 10, salt: 9 }] })
  storage.rule = ({ operation }) => (operation === 'sync' ? 'EIO' : undefined)
  await expect(log.syncLater()).rejects.toMatchObject({ code: 'CASKADE_IO' })
  storage.rule = () => undefined
  await expect(log.syncLater()).rejects.toMatchObject({ code: 'CASKADE_IO' })
  expect(() => log.sync()).toThrow(expect.objectContaining({ code: 'CASKADE_IO' }))
  expect(() => log.append({})).toThrow(expect.objectContaining({ code: 'CASKADE_IO' }))
  expect(storage.injected).toHaveLength(1)
})

test('a power cut in the middle of a new manifest leaves the old one or the new one', () => {
  const { disk, log } = begin()
  log.append({ addSegments: [{ number: 10, salt: 9 }] })
  log.sync()
  const clones: PowerCutStorage[] = []
  disk.onChange = () => {
    for (const p of [0, 0.5, 1]) clones.push(disk.crashClone(p, clones.length))
  }
  ManifestLog.begin(disk, '/store', log.state)
  expect(clones.length).toBeGreaterThan(20)
  for (const clone of clones) expect(segmentsOf(clone)).toEqual([10])
})
