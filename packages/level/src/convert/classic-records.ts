import type { ClassicLevelLike } from './resolve-classic-level.js'

export interface LevelRecord {
  key: Uint8Array
  value: Uint8Array
}

const recordsPerRead = 1000
const bytesPerRead = 1 << 20

/** All records of a database, in key order, as of the moment of the call of `next`. Ending early lets go of it. */
export async function* classicRecords(db: ClassicLevelLike): AsyncGenerator<LevelRecord[], undefined> {
  const iterator = db.iterator({
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    fillCache: false,
    highWaterMarkBytes: bytesPerRead,
  })
  try {
    for (;;) {
      const entries = await iterator.nextv(recordsPerRead)
      if (entries.length === 0) return undefined
      yield entries.map(([key, value]) => ({ key, value }))
    }
  } finally {
    await iterator.close()
  }
}
