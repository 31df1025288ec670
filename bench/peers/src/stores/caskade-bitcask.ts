import type { Peer } from '../peer-store.js'
import { openCaskade, openDurableCaskade } from './caskade-store.js'

export const caskadeBitcask: Peer = {
  settings:
    'defaults: durability os; put: putSync, and what backpressure() asks for is waited; borrowed: borrow; put-sync: put with durability sync; ' +
    'no order, so no scan-100',
  open: (directory) => openCaskade(directory, { store: 'bitcask' }),
  openDurable: (directory) => openDurableCaskade(directory, { store: 'bitcask' }),
}
