import { type OpenOptions, openStore } from '@caskade/engine'
import type { DurablePeerStore, PeerStore } from '../peer-store.js'

/** Our engine, with one backend or the other. */
export async function openCaskade(directory: string, options: OpenOptions): Promise<PeerStore> {
  const store = await openStore(directory, options)
  return {
    put(key, value) {
      store.putSync(key, value)
      return undefined
    },
    putBatch(keys, values) {
      store.writeSync(keys.map((key, i) => ({ type: 'put', key, value: values[i]! })))
      return undefined
    },
    pressure: () => store.backpressure(),
    get: (key) => store.getSync(key),
    getBorrowed(key) {
      const record = store.borrow(key, 0, key.length)
      return record === undefined ? -1 : record.valueEnd - record.valueStart
    },
    getMany: (keys) => store.getMany(keys),
    async scan() {
      let count = 0
      for (const { value } of store.scan()) if (value !== undefined) count++
      return count
    },
    ...(store.capabilities.ordered && {
      scanFrom(key: Uint8Array, limit: number) {
        let count = 0
        for (const { value } of store.scan({ gte: key, limit })) if (value !== undefined) count++
        return count
      },
    }),
    async settle() {
      await store.flush()
      await store.compactRange()
    },
    close: () => store.close(),
  }
}

export async function openDurableCaskade(directory: string, options: OpenOptions): Promise<DurablePeerStore> {
  const store = await openStore(directory, { ...options, durability: 'sync' })
  return { put: (key, value) => store.put(key, value), close: () => store.close() }
}
