import { describe, expect, test } from 'vitest'
import { TooOldError } from '../errors.js'
import type { Durability, Store } from '../store.js'
import { type Backend, type BackendOptions, backends } from './backends.js'
import { crashWorkload, type Step, storeState, workloadStates } from './crash-workload.js'
import { PowerCutStorage } from './power-cut-storage.js'
import { SeededRandom } from './seeded-random.js'

/** Small enough that flushes and compactions happen by themselves, between the ones of the workload. */
const small: BackendOptions = { segmentBytes: 12 << 10, changesBytes: 40 << 10 }

interface Subject {
  backend: Backend
  durability: Durability
}

/** A disk as a crash left it, and what must be on it. */
interface Crash {
  disk: PowerCutStorage
  label: string
  /** At least this many steps are there. */
  stepsMin: number
  stepsMax: number
  /** At least this many would be there after a power cut on top of it. */
  settled: number
}

type OnCrash = (crash: Crash) => Promise<void>

/** Runs the workload; after every storage call that changed something, every kind of crash is looked at. */
async function crashEverywhere(
  workload: readonly Step[],
  mapped: boolean,
  { backend, durability }: Subject,
  onCrash: OnCrash,
): Promise<number> {
  let calls = 0
  let started = 0
  /** Steps that have resolved; of these, those that survive a power cut. */
  let finished = 0
  let settled = 0
  const crashes: Crash[] = []
  // Jobs and syncs take their time, each another, so that they meet in every order.
  const random = new SeededRandom(11)
  const later = (run: () => void) => {
    const turns = random.below(4)
    if (turns === 0) queueMicrotask(run)
    else {
      let left = turns
      const turn = () => (--left === 0 ? run() : setImmediate(turn))
      setImmediate(turn)
    }
  }
  const storage: PowerCutStorage = new PowerCutStorage({
    mapped,
    later,
    onChange: (operation, path) => {
      calls++
      const label = `call ${calls} (${operation} ${path}) in step ${started} (${workload[started - 1]?.name})`
      crashes.push({
        disk: storage.processCrashClone(),
        label: `process crash after ${label}`,
        stepsMin: finished,
        stepsMax: started,
        settled,
      })
      for (const p of [0, 0.5, 1]) {
        crashes.push({
          disk: storage.crashClone(p, calls),
          label: `power cut with p ${p} after ${label}`,
          stepsMin: settled,
          stepsMax: started,
          settled,
        })
      }
    },
  })
  const judge = async () => {
    for (const crash of crashes.splice(0)) await onCrash(crash)
  }
  let store = await backend.open(storage, { ...small, durability }, later)
  for (const { run, settles, acknowledged } of workload) {
    started++
    await run(store)
    finished = started
    if (settles || (acknowledged && durability === 'sync')) settled = started
    await judge()
    if (started % 70 === 0) {
      await store.close()
      store = await backend.open(storage, { ...small, durability }, later)
    }
  }
  await store.close()
  await judge()
  return calls
}

/** What is kept of the changes leads up to the newest write, and each is readable. */
function expectChangesWithoutGap(store: Store, label: string): void {
  const newest = store.stats().sequence
  let since = 0
  try {
    store.changes(0)
  } catch (error) {
    expect(error, label).toBeInstanceOf(TooOldError)
    since = (error as TooOldError).oldest
  }
  for (const { sequence } of store.changes(since)) {
    since++
    // An assertion each would take longer than the rest of the check.
    if (sequence !== since) expect(sequence, label).toBe(since)
  }
  expect(since, label).toBe(newest)
}

/** Opens what a crash left: it must open, and hold a prefix of the steps, none of it half. */
async function recoverAndCheck(
  { disk, label, stepsMin, stepsMax }: Crash,
  stepsTo: ReadonlyMap<string, number[]>,
  { backend, durability }: Subject,
): Promise<void> {
  try {
    const store = await backend.open(disk, { ...small, durability })
    const steps = stepsTo.get(storeState(store))
    expect(steps, `${label}: what is there is no state of the workload`).toBeDefined()
    expect(
      steps!.some((count) => count >= stepsMin && count <= stepsMax),
      `${label}: ${steps} steps are there, not ${stepsMin} to ${stepsMax}`,
    ).toBe(true)
    expectChangesWithoutGap(store, label)
    const report = await store.verify()
    expect(report.errors, label).toEqual([])
    await store.close()
    expect(disk.openFiles, `${label}: files left open`).toBe(0)
  } catch (error) {
    throw new Error(`${label}: ${(error as Error).message}`, { cause: error })
  }
}

const cases = backends.flatMap((backend) =>
  [true, false].flatMap((mapped) =>
    (['os', 'sync'] as Durability[]).map((durability) => ({ name: backend.name, backend, mapped, durability })),
  ),
)

const workload = crashWorkload(90)
const { stepsTo } = workloadStates(workload)

describe.each(cases)('$name, mapped $mapped, durability $durability', ({ backend, mapped, durability }) => {
  const subject = { backend, durability }
  test('a crash after every single storage call loses no more than was promised', async () => {
    const calls = await crashEverywhere(workload, mapped, subject, (crash) => recoverAndCheck(crash, stepsTo, subject))
    expect(calls).toBeGreaterThan(400)
  }, 240_000)

  test('a crash after every storage call of a recovery, and of the recovery after that', async () => {
    const seed = Number(process.env.CASKADE_SEED ?? 1)
    const random = new SeededRandom(seed)
    let recoveries = 0
    await crashEverywhere(workload, mapped, subject, async (crash) => {
      if (!random.chance(0.004)) return
      recoveries++
      let depth = 0
      const recoverCrashing = async (next: Crash): Promise<void> => {
        const clones: Crash[] = []
        const { disk } = next
        disk.onChange = (operation, path) => {
          const after = `${next.label}, then in recovery after ${operation} ${path}, seed ${seed}`
          const p = random.next()
          clones.push({ ...next, disk: disk.processCrashClone(), label: `${after}, process crash` })
          clones.push({
            ...next,
            stepsMin: next.settled,
            disk: disk.crashClone(p, random.below(1e9)),
            label: `${after}, power cut with ${p}`,
          })
        }
        const store = await backend.open(disk, { ...small, durability })
        // What a recovery has shown must stay, for it may have been acted upon.
        const steps = stepsTo.get(storeState(store))!
        disk.onChange = () => {}
        await store.close()
        const shown = Math.max(...steps.filter((count) => count >= next.stepsMin && count <= next.stepsMax))
        expect(shown, next.label).toBeGreaterThanOrEqual(next.stepsMin)
        for (const clone of clones)
          await recoverAndCheck({ ...clone, disk: clone.disk.processCrashClone() }, stepsTo, subject)
        if (++depth < 4 && clones.length > 0) await recoverCrashing(clones[random.below(clones.length)]!)
      }
      await recoverCrashing(crash)
    })
    expect(recoveries).toBeGreaterThan(3)
  }, 240_000)
})
