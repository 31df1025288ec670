import type { OpenOptions } from '@caskade/engine'
import type { Peer } from '../peer-store.js'
import { openCaskade, openDurableCaskade } from './caskade-store.js'

// An engine without this backend refuses the option, and the report says so.
const bitcask = { store: 'bitcask' } as unknown as OpenOptions

export const caskadeBitcask: Peer = {
  settings:
    'defaults: durability os; put: putSync, and what backpressure() asks for is waited; borrowed: borrow; put-sync: put with durability sync; ' +
    'no order, so no scan-100',
  open: (directory) => openCaskade(directory, bitcask),
  openDurable: (directory) => openDurableCaskade(directory, bitcask),
}
