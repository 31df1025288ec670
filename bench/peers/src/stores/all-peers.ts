import type { Peer } from '../peer-store.js'
import { caskadeBitcask } from './caskade-bitcask.js'
import { caskadeLsm } from './caskade-lsm.js'
import { classicLevel } from './classic-level.js'
import { lmdb } from './lmdb.js'
import { rocksdbNative } from './rocksdb-native.js'
import { rocksdbNxt } from './rocksdb-nxt.js'
import { sqlite } from './sqlite.js'

/** Every subject by the name that reports use; ours first. */
export const peers: Readonly<Record<string, Peer>> = {
  'caskade-lsm': caskadeLsm,
  'caskade-bitcask': caskadeBitcask,
  lmdb,
  'classic-level': classicLevel,
  'rocksdb-nxt': rocksdbNxt,
  'rocksdb-native': rocksdbNative,
  sqlite,
}

export const isOurs = (subject: string) => subject.startsWith('caskade-')
