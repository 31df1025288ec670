import type { Snapshot, Store } from '../store.js'
import { SeededRandom } from './seeded-random.js'

/**
 * The fixed history of the crash and fault tests: every kind of write and of maintenance, in memtables of a few KiB.
 * Each step changes the store to a state that no other step gives, so that what is found after a crash tells how many happened.
 */
export interface Step {
  name: string
  run(store: Store): Promise<unknown>
  /** The same on the model. */
  apply(model: Map<string, string>): void
  /** Once it has resolved, this step and all before it survive a power cut, whatever the durability. */
  settles: boolean
  /** With durability `sync`: once it has resolved, it and all before it survive a power cut. */
  acknowledged: boolean
}

const bytes = (text: string) => new Uint8Array(Buffer.from(text))

export function crashWorkload(steps: number, seed = 1): Step[] {
  const random = new SeededRandom(seed)
  const workload: Step[] = []
  for (let i = 0; i < steps; i++) {
    workload.push(mark(i, random.chance(0.4)))
    if (i % 40 === 17) workload.push(step('flush', (store) => store.flush()))
    else if (i % 40 === 31) workload.push(step('sync', (store) => store.sync()))
    else if (i % 60 === 41) workload.push(step('compactRange', (store) => store.compactRange()))
    else if (i % 30 === 26) workload.push(ingest(i, random))
    else if (i % 100 === 77)
      workload.push({ ...step('clear', (store) => store.clear()), apply: (model) => model.clear() })
    else if (i % 15 === 11) workload.push(deleteRange(random))
    else if (i % 13 === 5) workload.push(moment())
    else workload.push(random.chance(0.3) ? batch(i, random) : single(i, random))
  }
  return workload
}

const step = (name: string, run: (store: Store) => Promise<unknown>): Step => ({
  name,
  run,
  apply: () => {},
  settles: true,
  acknowledged: true,
})

function deleteRange(random: SeededRandom): Step {
  const [lower, upper] = [randomKey(random), randomKey(random)].sort() as [string, string]
  const acknowledged = random.chance(0.4)
  return {
    name: `delete from ${lower} to ${upper}`,
    run: (store) => write(store, acknowledged, () => store.deleteRangeSync({ gte: bytes(lower), lt: bytes(upper) })),
    apply: (model) => {
      for (const key of [...model.keys()]) if (key >= lower && key < upper) model.delete(key)
    },
    settles: false,
    acknowledged,
  }
}

const moments = new WeakMap<Store, { snapshot: Snapshot; state: string }>()

/** Reads at the moment that an earlier one of these took, and takes another. */
function moment(): Step {
  return {
    ...step('snapshot', async (store) => {
      const last = moments.get(store)
      moments.delete(store)
      if (last !== undefined) {
        const found = storeState(store, last.snapshot)
        last.snapshot.close()
        if (found !== last.state) throw new Error(`the snapshot shows ${found}, not ${last.state}`)
      }
      const state = storeState(store)
      moments.set(store, { snapshot: store.snapshot(), state })
    }),
    settles: false,
    acknowledged: false,
  }
}

/** Sorted, past the log, over keys that are in memory and in tables. */
function ingest(i: number, random: SeededRandom): Step {
  const from = random.below(30)
  const records = Array.from({ length: 15 }, (_, n) => ({ key: `key${from + n}`, value: `${randomValue(i, random)}!` }))
  records.sort((a, b) => (a.key < b.key ? -1 : 1))
  return {
    ...step(`ingest from key${from}`, (store) =>
      store.ingest(records.map(({ key, value }) => ({ key: bytes(key), value: bytes(value) }))),
    ),
    apply: (model) => {
      for (const { key, value } of records) model.set(key, value)
    },
  }
}

/** Makes the state unique. */
function mark(i: number, acknowledged: boolean): Step {
  return {
    name: `mark ${i}`,
    run: (store) => write(store, acknowledged, () => store.putSync(bytes('mark'), bytes(String(i)))),
    apply: (model) => model.set('mark', String(i)),
    settles: false,
    acknowledged,
  }
}

/** What nobody waits for, a later sync must cover. */
async function write(store: Store, acknowledged: boolean, apply: () => unknown): Promise<void> {
  apply()
  if (acknowledged) await store.durable()
}

/** Every other write says when it was made. */
const timeOf = (i: number) => (i % 2 ? 1_790_000_000_000 + 1000 * i : 0)
const stamped = (value: string, writtenAt: number) => (writtenAt === 0 ? value : `${value}@${writtenAt}`)

const randomKey = (random: SeededRandom) => `key${random.below(40)}`
const randomValue = (i: number, random: SeededRandom) =>
  `${i} `.repeat(1 + random.below(random.chance(0.1) ? 1500 : 80))

function single(i: number, random: SeededRandom): Step {
  const key = randomKey(random)
  const acknowledged = random.chance(0.4)
  if (random.chance(0.25)) {
    return {
      name: `delete ${key}`,
      run: (store) => write(store, acknowledged, () => store.deleteSync(bytes(key))),
      apply: (model) => model.delete(key),
      settles: false,
      acknowledged,
    }
  }
  const value = randomValue(i, random)
  return {
    name: `put ${key}`,
    run: (store) => write(store, acknowledged, () => store.putSync(bytes(key), bytes(value), { writtenAt: timeOf(i) })),
    apply: (model) => model.set(key, stamped(value, timeOf(i))),
    settles: false,
    acknowledged,
  }
}

function batch(i: number, random: SeededRandom): Step {
  const writes = Array.from({ length: 2 + random.below(12) }, () => ({
    key: randomKey(random),
    value: random.chance(0.25) ? undefined : randomValue(i, random),
  }))
  return {
    name: `batch of ${writes.length}`,
    run: (store) =>
      store.write(
        writes.map(({ key, value }) =>
          value === undefined
            ? { type: 'delete', key: bytes(key) }
            : { type: 'put', key: bytes(key), value: bytes(value), writtenAt: timeOf(i) },
        ),
      ),
    apply: (model) => {
      for (const { key, value } of writes) {
        if (value === undefined) model.delete(key)
        else model.set(key, stamped(value, timeOf(i)))
      }
    },
    settles: false,
    acknowledged: true,
  }
}

/** A model's or a store's content as one text. */
export function stateOf(content: Iterable<readonly [string, string]>): string {
  return JSON.stringify([...content].sort(([a], [b]) => (a < b ? -1 : 1)))
}

export function storeState(store: Store, snapshot?: Snapshot): string {
  const text = (value: Uint8Array) => Buffer.from(value).toString()
  const entries = store.scan(snapshot === undefined ? {} : { snapshot })
  return stateOf([...entries].map(({ key, value, writtenAt }) => [text(key), stamped(text(value), writtenAt)] as const))
}

/** The state after each number of steps, and from each state back to the numbers that lead to it. */
export function workloadStates(workload: readonly Step[]): { states: string[]; stepsTo: Map<string, number[]> } {
  const model = new Map<string, string>()
  const states = [stateOf(model)]
  for (const { apply } of workload) {
    apply(model)
    states.push(stateOf(model))
  }
  const stepsTo = new Map<string, number[]>()
  for (const [steps, state] of states.entries()) stepsTo.set(state, [...(stepsTo.get(state) ?? []), steps])
  return { states, stepsTo }
}
