import type { Peer } from '../peer-store.js'

export const rocksdbNative: Peer = {
  settings:
    'defaults: 64 MiB write buffer, 8 KiB blocks, bloom filter of 10 bits; put: promises, 1000 in flight; get: read batches ' +
    'of 32, as it has no synchronous get; scan: its iterator with a capacity of 1000; no put-sync, since it has no synchronous write',
  async open(directory) {
    const { default: RocksDB } = await import('rocksdb-native')
    const db = new RocksDB(directory, {})
    await db.ready()
    return {
      put: (key, value) => db.put(key, value),
      putBatch(keys, values) {
        const batch = db.write({ capacity: keys.length, autoDestroy: true })
        for (let i = 0; i < keys.length; i++) batch.tryPut(keys[i]!, values[i]!)
        return batch.flush()
      },
      getMany(keys) {
        const batch = db.read({ capacity: keys.length, autoDestroy: true })
        const values = keys.map((key) => batch.get(key))
        batch.tryFlush()
        return Promise.all(values)
      },
      async scan() {
        let count = 0
        for await (const { value } of db.iterator({}, { capacity: 1000 })) if (value !== undefined) count++
        return count
      },
      async scanFrom(key, limit) {
        let count = 0
        // Room for one more than it will read: so the first, short read is known to be the last.
        for await (const { value } of db.iterator({ gte: key }, { capacity: limit + 1, limit }))
          if (value !== undefined) count++
        return count
      },
      settle: () => db.compactRange(),
      close: () => db.close(),
    }
  },
}
