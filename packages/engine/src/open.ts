import { MemoryStore } from './memory/memory-store.js'
import type { OpenOptions, Store } from './store.js'

/**
 * Opens (or creates) the store in a directory; one process at a time.
 * Throws `LockedError`, `CorruptionError`, `NewerFormatError`.
 */
export async function openStore(_directory: string, options: OpenOptions = {}): Promise<Store> {
  return new MemoryStore(options)
}
