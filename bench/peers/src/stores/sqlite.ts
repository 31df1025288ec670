import { GroupCommit } from '../group-commit.js'
import type { Peer } from '../peer-store.js'

export const sqlite: Peer = {
  settings:
    'better-sqlite3: WAL, synchronous NORMAL, 64 MiB page cache, 1 GiB mmap, one WITHOUT ROWID table of blobs, prepared ' +
    'statements; put: one transaction each; put-sync: synchronous FULL, one transaction for all that wait',
  async open(directory) {
    const { db, insert, insertAll } = await openSqlite(directory, 'NORMAL')
    const select = db.prepare('SELECT value FROM records WHERE key = ?').pluck(true)
    const all = db.prepare('SELECT key, value FROM records ORDER BY key').raw(true)
    const from = db.prepare('SELECT key, value FROM records WHERE key >= ? ORDER BY key LIMIT ?').raw(true)
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
      scanFrom: (key, limit) => from.all(key, limit).length,
      async settle() {
        db.pragma('wal_checkpoint(TRUNCATE)')
      },
      close: async () => db.close(),
    }
  },
  async openDurable(directory) {
    const { db, insertAll } = await openSqlite(directory, 'FULL')
    const group = new GroupCommit((keys, values) => {
      insertAll(keys, values)
      return undefined
    })
    return { put: (key, value) => group.put(key, value), close: async () => db.close() }
  },
}

async function openSqlite(directory: string, synchronous: 'NORMAL' | 'FULL') {
  const { default: Sqlite } = await import('better-sqlite3')
  const db = new Sqlite(`${directory}/data.sqlite`)
  for (const pragma of [
    'journal_mode = WAL',
    `synchronous = ${synchronous}`,
    'cache_size = -65536',
    'mmap_size = 1073741824',
  ])
    db.pragma(pragma)
  db.exec('CREATE TABLE IF NOT EXISTS records (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID')
  const insert = db.prepare('INSERT OR REPLACE INTO records VALUES (?, ?)')
  const insertAll = db.transaction((keys: readonly Uint8Array[], values: readonly Uint8Array[]) => {
    for (let i = 0; i < keys.length; i++) insert.run(keys[i], values[i])
  })
  return { db, insert, insertAll }
}
