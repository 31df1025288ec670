import { openStore, type Store } from '@caskade/engine'
import type { Peer } from '../peer-store.js'

export const caskadeLsm: Peer = {
  settings: 'defaults: durability os, 64 MiB memtable, 64 MiB cache; put: putSync; borrowed: borrow',
  async open(directory) {
    const store: Store = await openStore(directory)
    let last = 0
    return {
      put(key, value) {
        last = store.putSync(key, value)
        return store.backpressure()
      },
      putBatch(keys, values) {
        last = store.writeSync(keys.map((key, i) => ({ type: 'put', key, value: values[i]! })))
        return store.backpressure()
      },
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
      async settle() {
        if (last > 0 || store.stats().sequence > 0) await store.flush()
        await store.compactRange()
      },
      close: () => store.close(),
    }
  },
}
