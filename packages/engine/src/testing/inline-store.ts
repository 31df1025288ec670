import type { Storage } from '../io/storage.js'
import { type LsmOptions, LsmStore, lsmDefaults } from '../lsm/lsm-store.js'
import type { StoreEvent } from '../store.js'
import { InlineJobs } from './inline-jobs.js'
import { type PowerCutOptions, PowerCutStorage } from './power-cut-storage.js'

export const storeDirectory = '/store'

/** Opens an LSM store over any storage, deterministic: jobs in place, a fixed salt, a clock that stands still. */
export function openInline(
  storage: Storage,
  options: Partial<LsmOptions> = {},
  later?: (run: () => void) => void,
  directory = storeDirectory,
): Promise<LsmStore> {
  let salt = 1
  const whole: LsmOptions = {
    ...lsmDefaults,
    memtableBytes: 16 << 10,
    tableBytes: 16 << 10,
    policy: { level0Tables: 2, baseBytes: 32 << 10, growth: 4 },
    clock: () => 0,
    salt: () => salt++,
    onEvent: () => {},
    ...options,
  }
  const newJobs = () => new InlineJobs(storage, later)
  const jobs = { flusher: newJobs(), compactor: newJobs(), onDemand: newJobs() }
  return LsmStore.open(storage, directory, whole, jobs)
}

/** A disk in memory with one store on it. */
export class InlineStoreDisk {
  readonly storage: PowerCutStorage
  readonly events: StoreEvent[] = []

  constructor(options: PowerCutOptions, storage = new PowerCutStorage(options)) {
    this.storage = storage
  }

  open(options: Partial<LsmOptions> = {}): Promise<LsmStore> {
    return openInline(this.storage, { onEvent: (event) => this.events.push(event), ...options })
  }

  /** After a store was closed, or refused to open. */
  expectNothingOpen(): void {
    if (this.storage.openFiles !== 0) throw new Error(`${this.storage.openFiles} files were left open`)
  }
}
