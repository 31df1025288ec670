import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { BitcaskOptions } from '../bitcask/bitcask-store.js'
import type { LsmOptions } from '../lsm/lsm-store.js'
import { MemoryStore } from '../memory/memory-store.js'
import type { KeyRange, Store } from '../store.js'
import { inKeyOrder } from './in-key-order.js'
import { openInlineBitcask } from './inline-bitcask.js'
import { openInline } from './inline-store.js'
import { everything, type Operation, operation, perform, type Run } from './operations.js'
import { PowerCutStorage } from './power-cut-storage.js'

/** Overrides the seed of every run, to replay a failure: `CASKADE_SEED=… vitest run …`. */
const seed = process.env.CASKADE_SEED === undefined ? {} : { seed: Number(process.env.CASKADE_SEED) }

function modelRun({ deletesByKey }: Subject): Run {
  const memory = new MemoryStore({ clock: () => run.now })
  const run: Run = {
    store: deletesByKey ? byKey(memory) : memory,
    snapshots: [],
    now: 1000,
    reopen: async () => {},
  }
  return run
}

/** The same store, whose ranges are deleted key by key. */
function byKey(store: Store): Store {
  const deleteRangeSync = (range: KeyRange) =>
    store.atomic(() => {
      for (const { key } of [...store.scan(range)]) store.deleteSync(key)
      return store.stats().sequence
    })
  return new Proxy(store, {
    get(target, name) {
      if (name === 'deleteRangeSync') return deleteRangeSync
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

/** A persistent store, and how it is opened; `mapped`: true unless said otherwise. */
interface Subject {
  name: string
  mapped?: boolean
  /** A range is deleted key by key, with a sequence for each. */
  deletesByKey: boolean
  open(storage: PowerCutStorage, clock: () => number): Promise<Store>
}

const lsm = (options: Partial<LsmOptions> = {}, mapped = true): Subject => ({
  name: `lsm ${JSON.stringify(options)}, mapped ${mapped}`,
  mapped,
  deletesByKey: false,
  open: (storage, clock) => openInline(storage, { clock, ...options }),
})

const bitcask = (options: Partial<BitcaskOptions> = {}, mapped = true): Subject => ({
  name: `bitcask ${JSON.stringify(options)}, mapped ${mapped}`,
  mapped,
  deletesByKey: true,
  open: async (storage, clock) => inKeyOrder(await openInlineBitcask(storage, { clock, ...options })),
})

async function subjectRun({ open, mapped = true }: Subject): Promise<Run & { disk: PowerCutStorage }> {
  const disk = new PowerCutStorage({ mapped })
  const opened = () => open(disk, () => run.now)
  const run: Run & { disk: PowerCutStorage } = {
    disk,
    store: undefined as never,
    snapshots: [],
    now: 1000,
    reopen: async () => {
      await run.store.close()
      expect(disk.openFiles, 'files left open').toBe(0)
      run.store = await opened()
    },
  }
  run.store = await opened()
  return run
}

async function compare(operations: readonly Operation[], model: Run, subject: Run): Promise<void> {
  for (const [i, each] of operations.entries()) {
    const expected = await perform(each, model)
    expect(await perform(each, subject), `operation ${i}`).toEqual(expected)
  }
  expect(await everything(subject.store)).toEqual(await everything(model.store))
  await subject.store.close()
}

test.each([lsm({}, true), lsm({}, false), bitcask({}, true), bitcask({}, false)])(
  'random histories end as in the model, $name',
  async (subject) => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 200, size: 'max' }), async (operations) => {
        const run = await subjectRun(subject)
        await compare(operations, modelRun(subject), run)
        expect(run.disk.openFiles, 'files left open').toBe(0)
      }),
      { numRuns: 60, ...seed },
    )
  },
)

const lsms: Subject[] = [
  lsm(),
  lsm({}, false),
  lsm({ durability: 'sync' }),
  lsm({ durability: 'sync' }, false),
  lsm({ durability: 'interval', syncIntervalMs: 1 }),
  lsm({ memtableBytes: 4096 + 512 }),
  lsm({ memtableBytes: 8 << 10 }),
  lsm({ memtableBytes: 8 << 10 }, false),
  lsm({ memtableBytes: 1 << 20 }),
  lsm({ cacheBytes: 0 }),
  lsm({ cacheBytes: 1000 }),
  lsm({ cacheBytes: 0 }, false),
  lsm({ cacheBytes: 10_000 }, false),
  lsm({ changesBytes: 8 << 10 }),
  lsm({ changesBytes: 1 << 20 }, false),
  lsm({ mappedBytes: 0 }),
  lsm({ mappedBytes: 3000, cacheBytes: 1000 }),
  lsm({ tables: { blockBytes: 64, bloomBitsPerKey: 10, compression: 'lz4' } }),
  lsm({ tables: { blockBytes: 64, bloomBitsPerKey: 10, compression: 'none' } }),
  lsm({ tables: { blockBytes: 64 << 10, bloomBitsPerKey: 0, compression: 'none' } }),
  lsm({ tables: { blockBytes: 300, bloomBitsPerKey: 0, compression: 'lz4' } }, false),
  lsm({ tables: { blockBytes: 4096, bloomBitsPerKey: 1, compression: 'lz4' } }),
  lsm({ tables: { blockBytes: 4096, bloomBitsPerKey: 20, compression: 'none' } }),
  lsm({ tableBytes: 1 }),
  lsm({ tableBytes: 1 << 30 }),
  lsm({ policy: { level0Tables: 1, baseBytes: 1, growth: 2 } }),
  lsm({ policy: { level0Tables: 1, baseBytes: 4 << 10, growth: 2 }, tableBytes: 2000 }),
  lsm({ policy: { level0Tables: 100, baseBytes: 1 << 30, growth: 10 } }),
  lsm({ policy: { level0Tables: 3, baseBytes: 1 << 30, growth: 10 } }),
]

const never = { deadRatioMax: 2, totalDeadRatioMax: 2, deadRatioMin: 2, smallFiles: Infinity }
// Were a file merged for nothing, it would be again and again.
const always = { deadRatioMax: 0.01, totalDeadRatioMax: 0.01, deadRatioMin: 0.01, smallFiles: 2 }

const bitcasks: Subject[] = [
  bitcask(),
  bitcask({}, false),
  bitcask({ durability: 'sync' }),
  bitcask({ durability: 'sync' }, false),
  bitcask({ durability: 'interval', syncIntervalMs: 1 }),
  bitcask({ dataFileBytes: 4096 + 512 }),
  bitcask({ dataFileBytes: 4096 + 512 }, false),
  bitcask({ dataFileBytes: 8 << 10 }),
  bitcask({ dataFileBytes: 1 << 20 }),
  bitcask({ dataFileBytes: 1 << 20 }, false),
  bitcask({ changesBytes: 1 << 30 }),
  bitcask({ changesBytes: 20_000, dataFileBytes: 8 << 10 }),
  bitcask({ policy: never }),
  bitcask({ policy: never, dataFileBytes: 4096 + 512 }, false),
  bitcask({ policy: always }),
  bitcask({ policy: always }, false),
  bitcask({ policy: always, dataFileBytes: 4096 + 512 }),
  bitcask({ policy: { ...always, copyBytesMax: 1 }, dataFileBytes: 4096 + 512 }),
  bitcask({ policy: { smallFiles: 2 } }),
  bitcask({ policy: { deadRatioMax: 0.1 } }),
  bitcask({ policy: { totalDeadRatioMax: 0.05, deadRatioMin: 0 } }),
]

test.each([
  { name: 'lsm', subjects: lsms },
  { name: 'bitcask', subjects: bitcasks },
])('the same history under all option sets of $name gives the same answers', async ({ subjects }) => {
  expect(subjects.length).toBeGreaterThanOrEqual(20)
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 100, maxLength: 300, size: 'max' }), async (operations) => {
      for (const subject of subjects) {
        const run = await subjectRun(subject)
        try {
          await compare(operations, modelRun(subject), run)
          expect(run.disk.openFiles, 'files left open').toBe(0)
        } catch (error) {
          throw new Error(`${subject.name}: ${(error as Error).message}`, { cause: error })
        }
      }
    }),
    { numRuns: 2, ...seed },
  )
})
