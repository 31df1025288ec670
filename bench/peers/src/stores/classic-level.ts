import { GroupCommit } from '../group-commit.js'
import type { Peer } from '../peer-store.js'

const MiB = 2 ** 20

export const classicLevel: Peer = {
  settings:
    '64 MiB write buffer, 64 MiB cache, 16 MiB files, Snappy (its default), buffers; put: promises, 1000 in flight; get: getSync; ' +
    'scan: nextv of 1000 with a 1 MiB high-water mark; put-sync: batches with sync of all that wait (LevelDB: "applied together using a synchronous write")',
  async open(directory) {
    const db = await openLevel(directory)
    return {
      put: (key, value) => db.put(key, value),
      putBatch: (keys, values) => db.batch(keys.map((key, i) => ({ type: 'put', key, value: values[i]! }))),
      get: (key) => db.getSync(key),
      getMany: (keys) => db.getMany(keys),
      async scan() {
        const iterator = db.iterator({ highWaterMarkBytes: MiB })
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
        const iterator = db.iterator({ gte: key, limit })
        let count = 0
        while (count < limit) {
          const entries = await iterator.nextv(limit)
          if (entries.length === 0) break
          count += entries.length
        }
        await iterator.close()
        return count
      },
      settle: () => db.compactRange(Buffer.alloc(1, 0), Buffer.alloc(1, 0xff)),
      close: () => db.close(),
    }
  },
  async openDurable(directory) {
    const db = await openLevel(directory)
    const group = new GroupCommit((keys, values) =>
      db.batch(
        keys.map((key, i) => ({ type: 'put', key, value: values[i]! })),
        { sync: true },
      ),
    )
    return { put: (key, value) => group.put(key, value), close: () => db.close() }
  },
}

async function openLevel(directory: string) {
  const { ClassicLevel } = await import('classic-level')
  const db = new ClassicLevel(directory, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    writeBufferSize: 64 * MiB,
    cacheSize: 64 * MiB,
    maxFileSize: 16 * MiB,
  })
  await db.open()
  return db
}
