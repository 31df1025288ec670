import { HashTree } from './hash-tree.js'
import { noRecord, recordHash, treePlaceOf } from './record-hash.js'

const key = Buffer.from('user:0123456789:name')
const record = Buffer.alloc(151, 'record ')

export const cases = {
  'hash tree: hash a record of 151 bytes': () => {
    const hash = { high: 0, low: 0 }
    return () => recordHash(key, record, hash)
  },
  'hash tree: update': () => {
    const tree = new HashTree(3)
    const hash = recordHash(key, record, { high: 0, low: 0 })
    const place = treePlaceOf(key)
    return () => tree.update(place, noRecord, hash)
  },
}
