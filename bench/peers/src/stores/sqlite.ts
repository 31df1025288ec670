import type { Peer } from '../peer-store.js'

export const sqlite: Peer = {
  settings:
    'better-sqlite3: WAL, synchronous NORMAL, 64 MiB page cache, 1 GiB mmap, one WITHOUT ROWID table of blobs, prepared ' +
    'statements; put: one transaction each',
  async open(directory) {
    const { default: Sqlite } = await import('better-sqlite3')
    const db = new Sqlite(`${directory}/data.sqlite`)
    for (const pragma of [
      'journal_mode = WAL',
      'synchronous = NORMAL',
      'cache_size = -65536',
      'mmap_size = 1073741824',
    ])
      db.pragma(pragma)
    db.exec('CREATE TABLE IF NOT EXISTS records (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID')
    const insert = db.prepare('INSERT OR REPLACE INTO records VALUES (?, ?)')
    const select = db.prepare('SELECT value FROM records WHERE key = ?').pluck(true)
    const all = db.prepare('SELECT key, value FROM records ORDER BY key').raw(true)
    const insertAll = db.transaction((keys: readonly Uint8Array[], values: readonly Uint8Array[]) => {
      for (let i = 0; i < keys.length; i++) insert.run(keys[i], values[i])
    })
    return {
      put(key, value) {
        insert.run(key, value)
        return undefined
      },
      putBatch(keys, values) {
        insertAll(keys, values)
        return undefined
      },
      get: (key) => select.get(key) as Uint8Array | undefined,
      async scan() {
        let count = 0
        for (const record of all.iterate()) if (record !== undefined) count++
        return count
      },
      async settle() {
        db.pragma('wal_checkpoint(TRUNCATE)')
      },
      close: async () => db.close(),
    }
  },
}
