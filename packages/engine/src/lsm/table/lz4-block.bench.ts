import { uncompressSync } from 'lz4-napi'
import { BlockDecoder, compressBlock, sizePrefixBytes } from './lz4-block.js'

const size = 4096
const block = Buffer.allocUnsafeSlow(size)
for (let at = 0; at < size; at += 64) {
  block.fill('{"name":"a field","state":"active"} ', at, at + 32)
  for (let i = at + 32; i < at + 64; i++) block[i] = Math.imul(i + 1, 0x9e3779b1) >>> 24
}
const stored = compressBlock(block)
const storedView = new DataView(stored.buffer, stored.byteOffset, stored.length)
const target = new Uint8Array(size)
const targetView = new DataView(target.buffer)
const decoder = new BlockDecoder()

function decompress(until: number): boolean {
  decoder.begin(stored, storedView, sizePrefixBytes, stored.length, target, targetView, size)
  return decoder.advance(until)
}

export const cases = {
  'LZ4 compress 4096 bytes': () => () => compressBlock(block),
  'LZ4 decompress 4096 bytes': () => () => decompress(size),
  'LZ4 decompress half of 4096 bytes': () => () => decompress(size / 2),
  'LZ4 decompress 4096 bytes, lz4-napi': () => () => uncompressSync(stored),
}
