import { LatencySamples, sampleEvery } from './latency-samples.js'
import type { Measurement } from './measurement.js'
import type { PeerStore } from './peer-store.js'
import { type Records, valueBytes } from './records.js'

type Figures = Omit<Measurement, 'subject'>

/** Records in flight at once, for stores that acknowledge with a promise. */
const inFlightMax = 1000
const batchRecords = 100
const manyKeys = 32
const readsMax = 1_000_000
/** Reads before the clock starts, so that what is measured is compiled code. */
const warmUpReads = 20_000

async function measured(bench: string, n: number, run: (samples: LatencySamples) => Promise<void>): Promise<Figures> {
  const samples = new LatencySamples()
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  await run(samples)
  const seconds = (performance.now() - startedAt) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return {
    bench,
    n,
    opsPerSec: Math.round(n / seconds),
    ...samples.percentiles(),
    cpuUsPerOp: Number(((user + system) / n).toFixed(3)),
  }
}

/** Without latencies: an operation waits for those it is in flight with. */
function withoutLatencies({ p50Us: _p50, p99Us: _p99, p999Us: _p999, maxUs: _max, ...figures }: Figures): Figures {
  return figures
}

class Window {
  readonly #size: number
  #pending: Promise<unknown>[] = []

  constructor(size: number) {
    this.#size = size
  }

  add(promise: Promise<unknown> | undefined): Promise<unknown> | undefined {
    if (promise === undefined) return undefined
    this.#pending.push(promise)
    return this.#pending.length < this.#size ? undefined : this.drain()
  }

  drain(): Promise<unknown> {
    const pending = this.#pending
    this.#pending = []
    return Promise.all(pending)
  }
}

/** Every key once, in random order, one by one. */
export async function put(store: PeerStore, records: Records): Promise<Figures> {
  return withoutLatencies(
    await measured('put', records.count, async () => {
      const window = new Window(inFlightMax)
      for (let i = 0; i < records.count; i++) {
        const full = window.add(store.put(records.key(i), records.value(i)))
        if (full !== undefined) await full
      }
      await window.drain()
    }),
  )
}

export async function putBatch(store: PeerStore, records: Records): Promise<Figures> {
  return withoutLatencies(
    await measured('put-batch', records.count, async () => {
      const window = new Window(inFlightMax / batchRecords)
      for (let at = 0; at < records.count; at += batchRecords) {
        const numbers = Array.from({ length: Math.min(batchRecords, records.count - at) }, (_, i) => at + i)
        const written = store.putBatch(
          numbers.map((i) => records.key(i)),
          numbers.map((i) => records.value(i)),
        )
        const full = window.add(written)
        if (full !== undefined) await full
      }
      await window.drain()
    }),
  )
}

/** Uniform random numbers below a bound, the same ones each time: xorshift32. */
function randomNumbers(bound: number): () => number {
  let state = 2463534242
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % bound
  }
}

function hold(bench: string, found: number, expected: number): void {
  if (found !== expected) throw new Error(`${bench}: ${found} of ${expected} found`)
}

async function readOneByOne(bench: string, n: number, read: () => boolean): Promise<Figures> {
  for (let i = 0; i < warmUpReads; i++) read()
  let found = 0
  const figures = await measured(bench, n, async (samples) => {
    for (let i = 0; i < n; i++) {
      if (i % sampleEvery === 0) {
        const before = performance.now()
        if (read()) found++
        samples.add(performance.now() - before)
      } else if (read()) found++
    }
  })
  hold(bench, found, bench === 'get-absent' ? 0 : n)
  return figures
}

async function readMany(bench: string, n: number, store: PeerStore, key: () => Uint8Array): Promise<Figures> {
  const count = Math.ceil(n / manyKeys) * manyKeys
  for (let i = 0; i < warmUpReads; i += manyKeys) await store.getMany!(Array.from({ length: manyKeys }, key))
  let found = 0
  const figures = await measured(bench, count, async () => {
    for (let i = 0; i < count; i += manyKeys) {
      const values = await store.getMany!(Array.from({ length: manyKeys }, key))
      for (const value of values) if (value !== undefined && value !== null && value.length === valueBytes) found++
    }
  })
  hold(bench, found, bench === 'get-absent' ? 0 : count)
  return withoutLatencies(figures)
}

/** Every read workload the store can run, after checking that what it reads is what was put. */
export async function* reads(store: PeerStore, records: Records): AsyncGenerator<Figures> {
  const n = Math.min(readsMax, records.count)
  const number = randomNumbers(records.count)
  const present = () => records.key(number())
  const absent = () => records.absentKey(number())
  const { get, getBorrowed } = store
  if (get !== undefined) {
    yield readOneByOne('get-present', n, () => get(present())?.length === valueBytes)
    if (getBorrowed !== undefined) yield readOneByOne('get-borrowed', n, () => getBorrowed(present()) === valueBytes)
    yield readOneByOne('get-absent', n, () => get(absent()) !== undefined)
  } else {
    yield readMany('get-present', n, store, present)
    yield readMany('get-absent', n, store, absent)
  }
  if (store.getMany !== undefined) yield readMany('get-many', n, store, present)
  yield withoutLatencies(
    await measured('scan-full', records.count, async () => hold('scan-full', await store.scan(), records.count)),
  )
}

/** Whether a sample of the records reads back as put. */
export async function checkSample(store: PeerStore, records: Records): Promise<void> {
  const step = Math.max(1, Math.floor(records.count / 1000))
  for (let i = 0; i < records.count; i += step) {
    const key = records.key(i)
    const value = store.get !== undefined ? store.get(key) : (await store.getMany!([key]))[0]
    if (value === undefined || value === null || Buffer.compare(value, records.value(i)) !== 0)
      throw new Error(`record ${i} was acknowledged before the kill and is not there`)
  }
}
