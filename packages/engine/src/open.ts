import { randomBytes } from 'node:crypto'
import { join, resolve } from 'node:path'
import { openNodeStorage } from './io/node-storage.js'
import { LsmStore, lsmDefaults } from './lsm/lsm-store.js'
import { currentName } from './lsm/manifest/manifest-format.js'
import { WorkerJobs } from './lsm/worker/worker-jobs.js'
import { checkOpenOptions } from './open-options.js'
import type { OpenOptions, Store } from './store.js'

/**
 * Opens (or creates) the store in a directory, for one process at a time. Replays the log: some 100 ms for each full
 * memtable that was not flushed; a store that was closed has nothing to replay.
 * Throws `LockedError`, `CorruptionError`, `NewerFormatError`; for options that cannot be, `TypeError` or `RangeError`.
 */
export async function openStore(directory: string, options: OpenOptions = {}): Promise<Store> {
  checkOpenOptions(directory, options)
  const mmap = options.mmap ?? 'auto'
  const whole = {
    ...lsmDefaults,
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
    tables: {
      blockBytes: options.blockBytes ?? lsmDefaults.tables.blockBytes,
      bloomBitsPerKey: options.bloomBitsPerKey ?? lsmDefaults.tables.bloomBitsPerKey,
      compression: options.compression ?? lsmDefaults.tables.compression,
    },
    clock: options.clock ?? Date.now,
    salt: () => randomBytes(4).readUInt32LE(),
    onEvent: options.onEvent ?? (() => {}),
  }
  const jobs = { flusher: new WorkerJobs(mmap), compactor: new WorkerJobs(mmap), onDemand: new WorkerJobs(mmap) }
  return LsmStore.open(openNodeStorage({ mmap }), resolve(directory), whole, jobs)
}

/** Whether a directory holds a store. Looks at names only: it takes no lock and reads no file. */
export function storeExists(directory: string): boolean {
  return openNodeStorage({ mmap: 'off' }).size(join(directory, currentName)) !== undefined
}
