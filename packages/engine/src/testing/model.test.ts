import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { LsmOptions } from '../lsm/lsm-store.js'
import { MemoryStore } from '../memory/memory-store.js'
import { InlineStoreDisk } from './inline-store.js'
import { everything, type Operation, operation, perform, type Run } from './operations.js'

/** Overrides the seed of every run, to replay a failure: `CASKADE_SEED=… vitest run …`. */
const seed = process.env.CASKADE_SEED === undefined ? {} : { seed: Number(process.env.CASKADE_SEED) }

function modelRun(): Run {
  const run: Run = {
    store: new MemoryStore({ clock: () => run.now }),
    snapshots: [],
    now: 1000,
    reopen: async () => {},
  }
  return run
}

async function lsmRun(options: Partial<LsmOptions>, mapped: boolean): Promise<Run & { disk: InlineStoreDisk }> {
  const disk = new InlineStoreDisk({ mapped })
  const open = () => disk.open({ clock: () => run.now, ...options })
  const run: Run & { disk: InlineStoreDisk } = {
    disk,
    store: undefined as never,
    snapshots: [],
    now: 1000,
    reopen: async () => {
      await run.store.close()
      disk.expectNothingOpen()
      run.store = await open()
    },
  }
  run.store = await open()
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

test.each([true, false])('random histories end as in the model, mapped %s', async (mapped) => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 200, size: 'max' }), async (operations) => {
      const subject = await lsmRun({}, mapped)
      await compare(operations, modelRun(), subject)
      subject.disk.expectNothingOpen()
    }),
    { numRuns: 60, ...seed },
  )
})

const optionSets: { mapped?: boolean; options: Partial<LsmOptions> }[] = [
  { options: {} },
  { mapped: false, options: {} },
  { options: { durability: 'sync' } },
  { mapped: false, options: { durability: 'sync' } },
  { options: { durability: 'interval', syncIntervalMs: 1 } },
  { options: { memtableBytes: 4096 + 512 } },
  { options: { memtableBytes: 8 << 10 } },
  { mapped: false, options: { memtableBytes: 8 << 10 } },
  { options: { memtableBytes: 1 << 20 } },
  { options: { cacheBytes: 0 } },
  { options: { cacheBytes: 1000 } },
  { mapped: false, options: { cacheBytes: 0 } },
  { mapped: false, options: { cacheBytes: 10_000 } },
  { options: { tables: { blockBytes: 64, bloomBitsPerKey: 10, compression: 'lz4' } } },
  { options: { tables: { blockBytes: 64, bloomBitsPerKey: 10, compression: 'none' } } },
  { options: { tables: { blockBytes: 64 << 10, bloomBitsPerKey: 0, compression: 'none' } } },
  { mapped: false, options: { tables: { blockBytes: 300, bloomBitsPerKey: 0, compression: 'lz4' } } },
  { options: { tables: { blockBytes: 4096, bloomBitsPerKey: 1, compression: 'lz4' } } },
  { options: { tables: { blockBytes: 4096, bloomBitsPerKey: 20, compression: 'none' } } },
  { options: { tableBytes: 1 } },
  { options: { tableBytes: 1 << 30 } },
  { options: { policy: { level0Tables: 1, baseBytes: 1, growth: 2 } } },
  { options: { policy: { level0Tables: 1, baseBytes: 4 << 10, growth: 2 }, tableBytes: 2000 } },
  { options: { policy: { level0Tables: 100, baseBytes: 1 << 30, growth: 10 } } },
  { options: { policy: { level0Tables: 3, baseBytes: 1 << 30, growth: 10 } } },
]

test(`the same history under ${optionSets.length} option sets gives the same answers`, async () => {
  expect(optionSets.length).toBeGreaterThanOrEqual(20)
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 100, maxLength: 300, size: 'max' }), async (operations) => {
      for (const { mapped = true, options } of optionSets) {
        const subject = await lsmRun(options, mapped)
        await compare(operations, modelRun(), subject)
        subject.disk.expectNothingOpen()
      }
    }),
    { numRuns: 2, ...seed },
  )
})
