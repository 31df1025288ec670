import { setImmediate as turn } from 'node:timers/promises'
import { type OpenOptions, openStore, type Store } from '@caskade/engine'
import { Keydir } from '@caskade/engine/testing'
import { diskBytes } from './disk-bytes.js'
import { keyBytes, writeKey } from './key-bytes.js'
import { uniformNumbers } from './key-numbers.js'
import { type Figures, measured } from './measured.js'
import type { OperationTimer } from './operation-timer.js'
import { halfCompressible, valueBytes } from './records.js'

/** What the Bitcask backend is held to besides the rates of bench:peers. */
export interface BitcaskFigures extends Figures {
  bytesPerKey?: number
  /** The largest that there was while the second half of the keys came. */
  bytesPerKeyMax?: number
  /** Bytes on disk for each byte of live records: the largest, and the mean of the last third. */
  diskRatioMax?: number
  diskRatio?: number
  merges?: number
}

export type BitcaskPhase = 'keydir' | 'fill' | 'open-snapshot' | 'open-hints' | 'open-killed' | 'overwrite'

export interface BitcaskRequest {
  phase: BitcaskPhase
  directory: string
  keys: number
  /** Of `overwrite`: puts for each key. */
  rounds: number
}

const options: OpenOptions = { store: 'bitcask' }
const keysPerSample = 100_000
/** From so many on a close leaves a snapshot for sure. */
const snapshotKeysMin = 1_000_000
/** The event loop turns, as it does in a server. */
const putsPerTurn = 256
const diskSampleMs = 250
const values = Array.from({ length: 1 << 10 }, (_, i) => halfCompressible(i))

export async function runBitcaskPhase({ phase, directory, keys, rounds }: BitcaskRequest): Promise<BitcaskFigures> {
  switch (phase) {
    case 'keydir':
      return fillKeydir(keys)
    case 'fill':
      return fill(directory, keys)
    case 'overwrite':
      return overwrite(directory, keys, rounds)
    default:
      return reopen(phase, directory, keys)
  }
}

/** The keydir alone: what a put of a new key does in it. No record is on disk. */
async function fillKeydir(keys: number): Promise<BitcaskFigures> {
  const keydir = new Keydir()
  let bytesPerKeyMax = 0
  const figures = await measured('keydir-insert', keys, async (timer) => {
    for (let i = 0; i < keys; i++) {
      const due = timer.due()
      const begun = due ? timer.begin() : 0
      const hash = mix(i)
      const slot = mix(hash ^ 0x5bd1e995) >>> 18
      keydir.find(slot, hash)
      keydir.insert(slot, hash, i & 8191, 4096 + 4 * (i & 0xfff_ffff))
      if (due) timer.end(begun)
      if (i % keysPerSample === 0 && 2 * i > keys) bytesPerKeyMax = Math.max(bytesPerKeyMax, keydir.byteLength / i)
    }
  })
  const bytesPerKey = keydir.byteLength / keys
  return { ...figures, bytesPerKey: rounded(bytesPerKey), bytesPerKeyMax: rounded(bytesPerKeyMax || bytesPerKey) }
}

/** A bijection, so that distinct numbers stay distinct (the finalizer of MurmurHash3). */
function mix(number: number): number {
  let mixed = Math.imul(number ^ (number >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

const rounded = (number: number) => Number(number.toFixed(2))

/** Puts `count` records, and waits where the store asks for a pause. The timer sees the turns of the event loop too. */
async function put(store: Store, count: number, number: (i: number) => number, timer?: OperationTimer): Promise<void> {
  const key = Buffer.alloc(keyBytes)
  for (let i = 0; i < count; i++) {
    const due = timer?.due() ?? false
    const begun = due ? timer!.begin() : 0
    writeKey(key, 0, number(i))
    store.putSync(key, values[i % values.length]!)
    const pause = store.backpressure()
    if (pause !== undefined) await pause
    if (due) timer!.end(begun)
    if (i % putsPerTurn === 0) await turn()
  }
}

/** Fills a store, merges nothing, and closes it: what the close takes is the figure. */
async function fill(directory: string, keys: number): Promise<BitcaskFigures> {
  const store = await openStore(directory, options)
  await put(store, keys, (i) => i)
  await store.flush()
  const begun = performance.now()
  await store.close()
  return { bench: 'bitcask-close', n: keys, maxUs: since(begun), diskBytes: diskBytes(directory) }
}

const since = (begun: number) => Math.round((performance.now() - begun) * 1000)

/** Opens, and reads a key. What is left then is for the next phase, after SIGKILL: hints alone; then half a data file without one. */
async function reopen(phase: BitcaskPhase, directory: string, keys: number): Promise<BitcaskFigures> {
  const begun = performance.now()
  const cpu = process.cpuUsage()
  let source: unknown
  const store = await openStore(directory, {
    ...options,
    onEvent: ({ name, details }) => {
      if (name === 'recovered') source = details?.source
    },
  })
  const key = Buffer.alloc(keyBytes)
  writeKey(key, 0, keys - 1)
  if (store.getSync(key)?.length !== valueBytes) throw new Error(`key ${keys - 1} was acknowledged and is not there`)
  const maxUs = since(begun)
  const { user, system } = process.cpuUsage(cpu)
  const expected = phase === 'open-snapshot' ? 'snapshot' : 'hints'
  if (source !== expected && keys >= snapshotKeysMin) throw new Error(`${phase} was from ${source}`)
  if (phase === 'open-hints') await put(store, Math.min(keys, 450_000), (i) => i)
  return {
    bench: phase,
    n: keys,
    maxUs,
    cpuUsPerOp: Number(((user + system) / keys).toFixed(3)),
    rssBytes: process.memoryUsage.rss(),
  }
}

/** Overwrites random keys until merges have settled, and beyond. */
async function overwrite(directory: string, keys: number, rounds: number): Promise<BitcaskFigures> {
  const store = await openStore(directory, options)
  const number = uniformNumbers(keys)
  const ratios: number[] = []
  const sampler = setInterval(() => {
    ratios.push(diskBytes(directory) / store.stats().details['bitcask.liveBytes']!)
  }, diskSampleMs)
  const figures = await measured('overwrite-merging', keys * rounds, (timer) =>
    put(store, keys * rounds, number, timer),
  )
  clearInterval(sampler)
  const last = ratios.slice(Math.floor((2 * ratios.length) / 3))
  const merges = store.stats().details['bitcask.merges']!
  await store.close()
  return {
    ...figures,
    diskBytes: diskBytes(directory),
    diskRatioMax: rounded(Math.max(...ratios)),
    diskRatio: rounded(last.reduce((sum, ratio) => sum + ratio, 0) / Math.max(last.length, 1)),
    merges,
  }
}
