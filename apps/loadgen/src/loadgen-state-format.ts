import { crc32 } from 'node:zlib'

/*
 * docs/operations/loadgen-state-format.md
 *
 *   magic "CSKLOADG" | version u32 | value bytes u32 | record count u32 | tracked records u32 | prefix bytes u32 |
 *   prefix (latin1) | acknowledged u32 per tracked record | issued u32 per tracked record | crc32 of all before u32
 *
 * Little-endian.
 */
const magic = Buffer.from('CSKLOADG')
const version = 1
const headBytes = 28

export interface LoadgenState {
  valueBytes: number
  /** Records of the load phase. */
  recordCount: number
  keyPrefix: string
  /** Smallest sequence a read may return, by record number; 0: none was acknowledged. */
  acknowledged: Uint32Array
  /** Highest sequence ever sent. */
  issued: Uint32Array
}

export function encodeLoadgenState(state: LoadgenState): Buffer {
  const prefix = Buffer.from(state.keyPrefix, 'latin1')
  const tracked = state.issued.length
  const bytes = Buffer.alloc(headBytes + prefix.length + tracked * 8 + 4)
  magic.copy(bytes)
  bytes.writeUInt32LE(version, 8)
  bytes.writeUInt32LE(state.valueBytes, 12)
  bytes.writeUInt32LE(state.recordCount, 16)
  bytes.writeUInt32LE(tracked, 20)
  bytes.writeUInt32LE(prefix.length, 24)
  prefix.copy(bytes, headBytes)
  let at = headBytes + prefix.length
  for (const array of [state.acknowledged, state.issued]) {
    for (let i = 0; i < tracked; i++, at += 4) bytes.writeUInt32LE(array[i]!, at)
  }
  bytes.writeUInt32LE(crc32(bytes.subarray(0, at)), at)
  return bytes
}

/** Throws an Error that says what is wrong when the bytes are not a whole state file of this version. */
export function decodeLoadgenState(bytes: Buffer): LoadgenState {
  if (bytes.length < headBytes + 4 || !bytes.subarray(0, 8).equals(magic))
    throw new Error('not a load generator state file')
  const found = bytes.readUInt32LE(8)
  if (found !== version) throw new Error(`state file of version ${found}; this program reads version ${version}`)
  const tracked = bytes.readUInt32LE(20)
  const prefixBytes = bytes.readUInt32LE(24)
  const length = headBytes + prefixBytes + tracked * 8 + 4
  if (bytes.length !== length) throw new Error(`state file has ${bytes.length} bytes instead of ${length}`)
  if (crc32(bytes.subarray(0, length - 4)) !== bytes.readUInt32LE(length - 4))
    throw new Error('state file is damaged: checksum mismatch')
  let at = headBytes + prefixBytes
  const array = () => {
    const sequences = new Uint32Array(tracked)
    for (let i = 0; i < tracked; i++, at += 4) sequences[i] = bytes.readUInt32LE(at)
    return sequences
  }
  return {
    valueBytes: bytes.readUInt32LE(12),
    recordCount: bytes.readUInt32LE(16),
    keyPrefix: bytes.toString('latin1', headBytes, headBytes + prefixBytes),
    acknowledged: array(),
    issued: array(),
  }
}
