import type { Peer } from '../peer-store.js'

export const lmdb: Peer = {
  settings:
    'noSync (survives kill -9, as ours), binary keys and values, no compression (its default), noMemInit; put: promises of ' +
    'one event turn in one transaction, 1000 in flight; batch: transactionSync; put-sync: without noSync, overlapping sync and separate flush promises',
  async open(directory) {
    const db = await openLmdb(directory, { noSync: true })
    return {
      put: (key, value) => db.put(key, value),
      putBatch(keys, values) {
        db.transactionSync(() => {
          for (let i = 0; i < keys.length; i++) db.putSync(keys[i]!, values[i]!)
        })
        return undefined
      },
      get: (key) => db.get(key),
      getBorrowed: (key) => db.getBinaryFast(key)?.length ?? -1,
      async scan() {
        let count = 0
        for (const { value } of db.getRange({})) if (value !== undefined) count++
        return count
      },
      scanFrom(key, limit) {
        let count = 0
        for (const { value } of db.getRange({ start: key, limit })) if (value !== undefined) count++
        return count
      },
      settle: async () => {
        await db.flushed
      },
      close: () => db.close(),
    }
  },
  async openDurable(directory) {
    const db = await openLmdb(directory, { overlappingSync: true, separateFlushed: true })
    return { put: (key, value) => db.put(key, value).then(() => db.flushed), close: () => db.close() }
  },
}

async function openLmdb(directory: string, options: object) {
  const { open } = await import('lmdb')
  return open({
    path: `${directory}/data.mdb`,
    keyEncoding: 'binary',
    encoding: 'binary',
    noMemInit: true,
    mapSize: 16 * 2 ** 30,
    ...options,
  })
}
