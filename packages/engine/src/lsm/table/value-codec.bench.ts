import { viewOf } from '../../bytes.js'
import { ValueCompressor } from './value-compressor.js'
import { ValueDecoder } from './value-decoder.js'
import { makeDictionary } from './value-dictionary.js'

const value = (i: number) => {
  const bytes = Buffer.alloc(100, '{"name":"a field of a record","state":"active"}   ')
  for (let at = 0; at < 50; at++) bytes[at] = Math.imul(at + 50 * i + 1, 0x9e3779b1) >>> 24
  return bytes
}

const dictionary = makeDictionary(Array.from({ length: 1000 }, (_, i) => value(i)))
const compressor = new ValueCompressor(dictionary)
const one = value(1234)
const stored = Buffer.from(compressor.output.subarray(0, compressor.compress(one, 0, one.length)))
const view = viewOf(stored)
const decoder = new ValueDecoder(dictionary)

export const cases = {
  'compress a value of 100 bytes': () => () => compressor.compress(one, 0, one.length),
  'decompress a value of 100 bytes': () => () => decoder.decode(stored, view, 0, stored.length, one.length),
}
