import type { Peer } from '../peer-store.js'
import { openCaskade, openDurableCaskade } from './caskade-store.js'

export const caskadeLsm: Peer = {
  settings:
    'defaults: durability os, 64 MiB memtable, 64 MiB cache; put: putSync, and what backpressure() asks for is waited; borrowed: borrow; ' +
    'put-sync: put with durability sync',
  open: (directory) => openCaskade(directory, { store: 'lsm' }),
  openDurable: (directory) => openDurableCaskade(directory, { store: 'lsm' }),
}
