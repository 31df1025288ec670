import { GroupCommit } from '../group-commit.js'
import type { Peer } from '../peer-store.js'

const MiB = 2 ** 20

export const rocksdbNxt: Peer = {
  settings:
    'level compaction, 256 MiB memtable budget (its default), 64 MiB cache, optimize point-lookup, no WAL compression, ' +
    'parallelism 2, buffers; put: promises, 1000 in flight; get: getMany of 32, as it has no synchronous get; scan: nextv of 1000; ' +
    'put-sync: batches with sync of all that wait',
  async open(directory) {
    const db = await openRocks(directory)
    return {
      put: (key, value) => db.put(key, value),
      putBatch: (keys, values) => db.batch(keys.map((key, i) => ({ type: 'put', key, value: values[i]! }))),
      getMany: (keys) => db.getMany(keys, { keyEncoding: 'buffer', valueEncoding: 'buffer' }),
      async scan() {
        const iterator = db.iterator({ keyEncoding: 'buffer', valueEncoding: 'buffer', highWaterMarkBytes: MiB })
        let count = 0
        for (;;) {
          const entries = await iterator.nextv(1000)
          if (entries.length === 0) break
          count += entries.length
        }
        await iterator.close()
        return count
      },
      async scanFrom(key, limit) {
        const iterator = db.iterator({ gte: key, limit, keyEncoding: 'buffer', valueEncoding: 'buffer' })
        let count = 0
        while (count < limit) {
          const entries = await iterator.nextv(limit)
          if (entries.length === 0) break
          count += entries.length
        }
        await iterator.close()
        return count
      },
      // The binding offers no compaction call: what runs in the background has had its time by then.
      settle: async () => {},
      close: () => db.close(),
    }
  },
  async openDurable(directory) {
    const db = await openRocks(directory)
    const group = new GroupCommit((keys, values) =>
      db.batch(
        keys.map((key, i) => ({ type: 'put', key, value: values[i]! })),
        { sync: true },
      ),
    )
    return { put: (key, value) => group.put(key, value), close: () => db.close() }
  },
}

async function openRocks(directory: string) {
  const { RocksLevel } = await import('@nxtedition/rocksdb')
  const db = new RocksLevel(directory, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    compaction: 'level',
    cacheSize: 64 * MiB,
    optimize: 'point-lookup',
    walCompression: false,
    parallelism: 2,
  })
  await db.open()
  return db
}
