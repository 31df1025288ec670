import { type BitcaskOptions, BitcaskStore, bitcaskDefaults } from '../bitcask/bitcask-store.js'
import type { Storage } from '../io/storage.js'
import { InlineJobs } from './inline-jobs.js'
import { storeDirectory } from './inline-store.js'

/** Opens a Bitcask store over any storage, deterministic as `openInline`. */
export function openInlineBitcask(
  storage: Storage,
  options: Partial<BitcaskOptions> = {},
  later?: (run: () => void) => void,
  directory = storeDirectory,
): Promise<BitcaskStore> {
  let salt = 1
  const whole: BitcaskOptions = {
    ...bitcaskDefaults,
    dataFileBytes: 16 << 10,
    policy: { smallFiles: 4 },
    snapshotKeysMin: 0,
    clock: () => 0,
    salt: () => salt++,
    onEvent: () => {},
    later: later ?? queueMicrotask,
    ...options,
  }
  const newJobs = () => new InlineJobs(storage, later)
  const runners = { settler: newJobs(), merger: newJobs(), allocator: newJobs() }
  return BitcaskStore.open(storage, directory, whole, runners)
}
