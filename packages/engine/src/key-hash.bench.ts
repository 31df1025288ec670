import { hashKey } from './key-hash.js'

const bytes = Buffer.alloc(256, 'some key bytes ')

export const cases = {
  'hash 20 bytes': () => () => hashKey(bytes, 3, 23),
  'hash 100 bytes': () => () => hashKey(bytes, 3, 103),
}
