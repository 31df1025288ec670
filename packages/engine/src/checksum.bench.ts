import zlib from 'node:zlib'
import packaged from 'crc-32'
import { crc32 } from './checksum.js'

const bytes = Buffer.allocUnsafeSlow(8192).fill('checksummed text ')
const view = new DataView(bytes.buffer)

export const cases = {
  'crc 140 bytes': () => () => crc32(bytes, view, 8, 148, 0),
  'crc 140 bytes, crc-32': () => () => packaged.buf(bytes.subarray(8, 148)),
  'crc 140 bytes, zlib': () => () => zlib.crc32(bytes.subarray(8, 148)),
  'crc 4096 bytes': () => () => crc32(bytes, view, 8, 4104, 0),
  'crc 4096 bytes, zlib': () => () => zlib.crc32(bytes.subarray(8, 4104)),
}
