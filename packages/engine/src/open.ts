import { randomBytes } from 'node:crypto'
import { join, resolve } from 'node:path'
import { BitcaskStore, bitcaskDefaults } from './bitcask/bitcask-store.js'
import { openNodeStorage } from './io/node-storage.js'
import { LsmStore, lsmDefaults } from './lsm/lsm-store.js'
import { currentName } from './lsm/manifest/manifest-format.js'
import { readManifest } from './lsm/manifest/manifest-log.js'
import { WorkerJobs } from './lsm/worker/worker-jobs.js'
import { checkOpenOptions } from './open-options.js'
import type { OpenOptions, Store, StoreKind } from './store.js'

/**
 * Opens (or creates) the store in a directory, for one process at a time. Replays the log: some 100 ms for each full
 * memtable that was not flushed; a store that was closed has nothing to replay.
 * Throws `LockedError`, `CorruptionError`, `NewerFormatError`; for options that cannot be, `TypeError` or `RangeError`.
 */
export async function openStore(directory: string, options: OpenOptions = {}): Promise<Store> {
  checkOpenOptions(directory, options)
  const mmap = options.mmap ?? 'auto'
  if (options.store === 'bitcask') return openBitcask(directory, options, mmap)
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

function openBitcask(directory: string, options: OpenOptions, mmap: 'auto' | 'off'): Promise<Store> {
  const whole = {
    ...bitcaskDefaults,
    ...Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)),
    clock: options.clock ?? Date.now,
    salt: () => randomBytes(4).readUInt32LE(),
    onEvent: options.onEvent ?? (() => {}),
  }
  const runners = { settler: new WorkerJobs(mmap), merger: new WorkerJobs(mmap), allocator: new WorkerJobs(mmap) }
  return BitcaskStore.open(openNodeStorage({ mmap }), resolve(directory), whole, runners)
}

/** Which backend made the store in a directory; `undefined` where there is none. Takes no lock. */
export function storeKind(directory: string): StoreKind | undefined {
  const read = readManifest(openNodeStorage({ mmap: 'off' }), directory)
  if (read === undefined) return undefined
  return read.state.bitcask === undefined ? 'lsm' : 'bitcask'
}

/** Whether a directory holds a store. Looks at names only: it takes no lock and reads no file. */
export function storeExists(directory: string): boolean {
  return openNodeStorage({ mmap: 'off' }).size(join(directory, currentName)) !== undefined
}
