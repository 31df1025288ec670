import type { Peer } from '../peer-store.js'

export const lmdb: Peer = {
  settings:
    'noSync (survives kill -9, as ours), binary keys and values, no compression (its default), noMemInit; put: promises of ' +
    'one event turn in one transaction, 1000 in flight; batch: transactionSync',
  async open(directory) {
    const { open } = await import('lmdb')
    const db = open({
      path: `${directory}/data.mdb`,
      keyEncoding: 'binary',
      encoding: 'binary',
      noSync: true,
      noMemInit: true,
      mapSize: 16 * 2 ** 30,
    })
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
      settle: async () => {
        await db.flushed
      },
      close: () => db.close(),
    }
  },
}
