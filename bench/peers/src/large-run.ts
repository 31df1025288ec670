import { type OpenOptions, openStore, type Store } from '@caskade/engine'
import { diskBytes } from './disk-bytes.js'
import { keyBytes, writeKey } from './key-bytes.js'
import { uniformNumbers } from './key-numbers.js'
import type { Figures } from './measured.js'
import { OperationTimer } from './operation-timer.js'
import { halfCompressible } from './records.js'
import { residentBytes } from './resident-bytes.js'

/** Key and value together are 100 bytes. */
const largeValueBytes = 100 - keyBytes
const valuePool = 1 << 16
const readsMax = 200_000
/** The clock and the process's memory are looked at once in so many puts. */
const glanceEvery = 4096
const reportEveryMs = 1000

export interface LargeFigures extends Figures {
  /** The slowest ten seconds. */
  slowestOpsPerSec?: number
}

export interface LargeProgress {
  puts: number
  /** Over the last second. */
  opsPerSec: number
  rssBytes: number
}

class Recorder {
  rss = 0
  anonymous = 0
  readonly #rates: number[] = []
  #puts = 0
  #at: number
  readonly #onProgress: (progress: LargeProgress) => void

  constructor(onProgress: (progress: LargeProgress) => void) {
    this.#onProgress = onProgress
    this.#at = performance.now()
  }

  glance(puts: number): void {
    const now = performance.now()
    if (now - this.#at < reportEveryMs) return
    const { rss, anonymous } = residentBytes()
    this.rss = Math.max(this.rss, rss)
    this.anonymous = Math.max(this.anonymous, anonymous)
    const opsPerSec = Math.round(((puts - this.#puts) / (now - this.#at)) * 1000)
    this.#rates.push(opsPerSec)
    this.#puts = puts
    this.#at = now
    this.#onProgress({ puts, opsPerSec, rssBytes: rss })
  }

  get slowest(): number | undefined {
    return slowestWindow(this.#rates, 10)
  }
}

/** The lowest mean of `width` neighbours; `undefined` where there are fewer. */
export function slowestWindow(rates: readonly number[], width: number): number | undefined {
  let lowest: number | undefined
  for (let end = width; end <= rates.length; end++) {
    const mean = Math.round(rates.slice(end - width, end).reduce((sum, rate) => sum + rate, 0) / width)
    if (lowest === undefined || mean < lowest) lowest = mean
  }
  return lowest
}

/** Puts keys 0 to `keys` in the order of their numbers, which is no order of theirs. Leaves the store open. */
export async function load(
  directory: string,
  options: OpenOptions,
  keys: number,
  onProgress: (progress: LargeProgress) => void,
): Promise<LargeFigures> {
  const store: Store = await openStore(directory, options)
  const key = Buffer.alloc(keyBytes)
  const values = Array.from({ length: valuePool }, (_, i) => halfCompressible(i, largeValueBytes))
  const recorder = new Recorder(onProgress)
  const timer = new OperationTimer()
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  for (let i = 0; i < keys; i++) {
    const due = timer.due()
    const begun = due ? timer.begin() : 0
    writeKey(key, 0, i)
    store.putSync(key, values[i % valuePool]!)
    const pause = store.backpressure()
    if (pause !== undefined) await pause
    if (due) timer.end(begun)
    if (i % glanceEvery === 0) recorder.glance(i)
  }
  timer.mark()
  const seconds = (performance.now() - startedAt) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const { rss, anonymous } = residentBytes()
  return {
    bench: 'large-load',
    n: keys,
    opsPerSec: Math.round(keys / seconds),
    ...(recorder.slowest !== undefined && { slowestOpsPerSec: recorder.slowest }),
    ...timer.latencies(),
    cpuUsPerOp: Number(((user + system) / keys).toFixed(3)),
    rssBytes: Math.max(rss, recorder.rss),
    anonymousBytes: Math.max(anonymous, recorder.anonymous),
    diskBytes: diskBytes(directory),
  }
}

/** Opens what `load` left behind, after its process was killed, and reads random keys. */
export async function* reopenAndRead(
  directory: string,
  options: OpenOptions,
  keys: number,
): AsyncGenerator<LargeFigures> {
  const openedAt = performance.now()
  const store = await openStore(directory, options)
  const key = Buffer.alloc(keyBytes)
  const read = (i: number) => {
    writeKey(key, 0, i)
    if (store.getSync(key)?.length !== largeValueBytes) throw new Error(`key ${i} was acknowledged and is not there`)
  }
  read(keys - 1)
  yield { bench: 'large-reopen', n: keys, maxUs: Math.round((performance.now() - openedAt) * 1000) }

  const n = Math.min(readsMax, keys)
  const number = uniformNumbers(keys)
  const timer = new OperationTimer()
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  for (let i = 0; i < n; i++) {
    const due = timer.due()
    const begun = due ? timer.begin() : 0
    read(number())
    if (due) timer.end(begun)
  }
  timer.mark()
  const seconds = (performance.now() - startedAt) / 1000
  const { user, system } = process.cpuUsage(cpu)
  const { rss, anonymous } = residentBytes()
  yield {
    bench: 'large-get',
    n,
    opsPerSec: Math.round(n / seconds),
    ...timer.latencies(),
    cpuUsPerOp: Number(((user + system) / n).toFixed(3)),
    rssBytes: rss,
    anonymousBytes: anonymous,
    diskBytes: diskBytes(directory),
  }
  await store.close()
}
