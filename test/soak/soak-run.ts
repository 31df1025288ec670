import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type OpenOptions, openStore } from '@caskade/engine'
import { SoakLoad } from './soak-load.js'
import type { SoakSample } from './soak-verdict.js'

export interface SoakOptions {
  directory: string
  open: OpenOptions
  keys: number
  seed: number
  seconds: number
  sampleEveryMs: number
  /** How often everything is flushed and compacted. */
  maintainEveryMs: number
  onSample: (sample: SoakSample) => void
}

/** Bytes of a directory's files as the disk holds them. A file may go away while it is looked at. */
function diskBytes(directory: string): number {
  let sum = 0
  for (const name of readdirSync(directory))
    sum += (statSync(join(directory, name), { throwIfNoEntry: false })?.blocks ?? 0) * 512
  return sum
}

/** Open descriptors of this process (Linux; elsewhere 0). */
function descriptors(): number {
  return process.platform === 'linux' ? readdirSync('/proc/self/fd').length : 0
}

/** Resident memory in its two kinds (Linux; elsewhere all of it counts as anonymous). */
function residentMemory(): { anonymousBytes: number; mappedBytes: number } {
  if (process.platform !== 'linux') return { anonymousBytes: process.memoryUsage.rss(), mappedBytes: 0 }
  const status = readFileSync('/proc/self/status', 'latin1')
  const bytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024
  return { anonymousBytes: bytes('RssAnon'), mappedBytes: bytes('RssFile') + bytes('RssShmem') }
}

/** Loads a store for so long, and says what the process took. */
export async function soakRun(options: SoakOptions): Promise<{ samples: SoakSample[]; operations: number }> {
  const { directory, keys, seed, seconds } = options
  const store = await openStore(directory, options.open)
  const load = new SoakLoad(store, keys, seed)
  const samples: SoakSample[] = []
  const startedAt = performance.now()
  let sampledAt = startedAt
  let maintainedAt = startedAt
  try {
    for (let now = startedAt; now - startedAt < seconds * 1000; now = performance.now()) {
      await load.round()
      // Sockets, timers and workers end in the event loop's turns.
      await new Promise((resolve) => setImmediate(resolve))
      if (now - maintainedAt > options.maintainEveryMs) {
        maintainedAt = now
        await load.maintain()
      }
      if (now - sampledAt < options.sampleEveryMs) continue
      sampledAt = now
      globalThis.gc?.()
      const sample: SoakSample = {
        seconds: (now - startedAt) / 1000,
        ...residentMemory(),
        heapBytes: process.memoryUsage().heapUsed,
        descriptors: descriptors(),
        handles: process.getActiveResourcesInfo().length,
        diskBytes: diskBytes(directory),
      }
      samples.push(sample)
      options.onSample(sample)
    }
  } finally {
    load.end()
    await store.close()
  }
  return { samples, operations: load.operations }
}
