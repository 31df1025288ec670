import type { Storage } from '../io/storage.js'
import type { Durability, Store, StoreEvent } from '../store.js'
import { inKeyOrder } from './in-key-order.js'
import { openInlineBitcask } from './inline-bitcask.js'
import { openInline } from './inline-store.js'

/** Options that every backend has, whatever it calls them. */
export interface BackendOptions {
  durability?: Durability
  /** Size of a log segment, in bytes. */
  segmentBytes?: number
  changesBytes?: number
  /** Of the block cache, where there is one. */
  cacheBytes?: number
  retryMs?: number
  readOnly?: boolean
  clock?: () => number
  salt?: () => number
  onEvent?: (event: StoreEvent) => void
}

/** A persistent backend for suites that bring their own storage. */
export interface Backend {
  name: 'lsm' | 'bitcask'
  open(
    storage: Storage,
    options?: BackendOptions,
    later?: (run: () => void) => void,
    directory?: string,
  ): Promise<Store>
}

export const lsm: Backend = {
  name: 'lsm',
  open: (storage, { segmentBytes, ...options } = {}, later, directory) =>
    openInline(
      storage,
      { ...options, ...(segmentBytes !== undefined && { memtableBytes: segmentBytes }) },
      later,
      directory,
    ),
}

/** Scans are sorted, so that what is found can be compared. */
export const bitcask: Backend = {
  name: 'bitcask',
  open: async (storage, { segmentBytes, cacheBytes: _, ...options } = {}, later, directory) =>
    inKeyOrder(
      await openInlineBitcask(
        storage,
        { ...options, ...(segmentBytes !== undefined && { dataFileBytes: segmentBytes }) },
        later,
        directory,
      ),
    ),
}

export const backends = [lsm, bitcask]
