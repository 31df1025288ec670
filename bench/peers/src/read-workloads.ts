import { uniformNumbers, zipfianNumbers } from './key-numbers.js'
import { type Figures, measured, withoutLatencies } from './measured.js'
import type { PeerStore } from './peer-store.js'
import type { Records } from './records.js'

const manyKeys = 32
const readsMax = 1_000_000
/** Reads before the clock starts, so that what is measured is compiled code. */
const warmUpReads = 20_000
const shortScanRecords = 100
const shortScansMax = 5_000

function hold(bench: string, found: number, expected: number): void {
  if (found !== expected) throw new Error(`${bench}: ${found} of ${expected} found`)
}

async function readOneByOne(bench: string, n: number, read: () => boolean): Promise<Figures> {
  for (let i = 0; i < warmUpReads; i++) read()
  let found = 0
  const figures = await measured(bench, n, async (timer) => {
    for (let i = 0; i < n; i++) {
      if (timer.due()) {
        const begun = timer.begin()
        if (read()) found++
        timer.end(begun)
      } else if (read()) found++
    }
  })
  hold(bench, found, bench === 'get-absent' ? 0 : n)
  return figures
}

async function readMany(
  bench: string,
  n: number,
  store: PeerStore,
  key: () => Uint8Array,
  valueBytes: number,
): Promise<Figures> {
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

async function scanShort(store: PeerStore, n: number, key: () => Uint8Array): Promise<Figures> {
  const { scanFrom } = store
  let found = 0
  const figures = await measured('scan-100', n, async (timer) => {
    for (let i = 0; i < n; i++) {
      const begun = timer.begin()
      found += await scanFrom!(key(), shortScanRecords)
      timer.end(begun)
    }
  })
  // A few begin so near the last key that they end early.
  if (found < 0.9 * n * shortScanRecords) throw new Error(`scan-100: ${found} records in ${n} scans`)
  return figures
}

/** Every read workload the store can run. */
export async function* reads(store: PeerStore, records: Records): AsyncGenerator<Figures> {
  const n = Math.min(readsMax, records.count)
  const number = uniformNumbers(records.count)
  const popular = zipfianNumbers(records.count, n)
  const { valueBytes } = records
  const present = () => records.key(number())
  const skewed = () => records.key(popular())
  const absent = () => records.absentKey(number())
  const { get, getBorrowed } = store
  if (get !== undefined) {
    yield readOneByOne('get-present', n, () => get(present())?.length === valueBytes)
    if (getBorrowed !== undefined) yield readOneByOne('get-borrowed', n, () => getBorrowed(present()) === valueBytes)
    yield readOneByOne('get-zipf', n, () => get(skewed())?.length === valueBytes)
    yield readOneByOne('get-absent', n, () => get(absent()) !== undefined)
  } else {
    yield readMany('get-present', n, store, present, valueBytes)
    yield readMany('get-zipf', n, store, skewed, valueBytes)
    yield readMany('get-absent', n, store, absent, valueBytes)
  }
  if (store.getMany !== undefined) yield readMany('get-many', n, store, present, valueBytes)
  yield withoutLatencies(
    await measured('scan-full', records.count, async () => hold('scan-full', await store.scan(), records.count)),
  )
  if (store.scanFrom !== undefined) yield scanShort(store, Math.min(shortScansMax, records.count), present)
}

/** Whether a sample of the records reads back as put. */
export async function checkSample(store: PeerStore, records: Records): Promise<void> {
  const step = Math.max(1, Math.floor(records.count / 1000))
  for (let i = 0; i < records.count; i += step) {
    const value = await readOne(store, records.key(i))
    if (value === undefined || value === null || Buffer.compare(value, records.value(i)) !== 0)
      throw new Error(`record ${i} was acknowledged before the kill and is not there`)
  }
}

export async function readOne(store: PeerStore, key: Uint8Array): Promise<Uint8Array | null | undefined> {
  return store.get !== undefined ? store.get(key) : (await store.getMany!([key]))[0]
}
