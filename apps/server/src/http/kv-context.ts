import type { Store } from '@caskade/engine'

/** What the routes of the key-value API work on. */
export interface KvContext {
  store: Store
  /** Milliseconds since the epoch. */
  clock: () => number
  /** Of a stored value, in bytes. */
  valueBytesMax: number
}

/** The version of the record under a key; 0: there is none. Copies nothing. */
export function versionOf(store: Store, key: Uint8Array): number {
  return store.borrow(key, 0, key.length)?.sequence ?? 0
}

/** Waits until the writes just applied are as durable as promised, and until the store wants more. */
export async function acknowledged(store: Store): Promise<void> {
  const durable = store.durable()
  if (durable !== undefined) await durable
  const backpressure = store.backpressure()
  if (backpressure !== undefined) await backpressure
}

export const jsonType = 'application/json; charset=utf-8'
export const ndjsonType = 'application/x-ndjson; charset=utf-8'
export const bytesType = 'application/octet-stream'
