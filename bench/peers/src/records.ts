import { createHash } from 'node:crypto'
import { keyBytes, writeKey } from './key-bytes.js'

export const valueBytes = 100
/** As many different values as this holds, or 65,536 if that is less. */
const poolBytes = 64 << 20
const absentCount = 1 << 16

/** All keys and a pool of values, made before the clock starts. */
export class Records {
  readonly count: number
  readonly valueBytes: number
  readonly #keys: Buffer
  readonly #absent: Buffer
  readonly #values: Buffer[]

  constructor(count: number, bytes = valueBytes) {
    this.count = count
    this.valueBytes = bytes
    this.#keys = Buffer.allocUnsafeSlow(count * keyBytes)
    for (let i = 0; i < count; i++) writeKey(this.#keys, i * keyBytes, i)
    this.#absent = Buffer.allocUnsafeSlow(Math.min(count, absentCount) * keyBytes)
    for (let i = 0; i < this.#absent.length / keyBytes; i++) writeKey(this.#absent, i * keyBytes, count + i)
    const different = Math.min(1 << 16, Math.floor(poolBytes / bytes))
    // Views of one buffer: 65,536 buffers of their own cost each mark-compact of the process that is measured 30 ms.
    const pool = Buffer.allocUnsafeSlow(different * bytes)
    this.#values = Array.from({ length: different }, (_, i) => {
      const value = pool.subarray(i * bytes, (i + 1) * bytes)
      value.set(halfCompressible(i, bytes))
      return value
    })
  }

  key(i: number): Buffer {
    return this.#keys.subarray(i * keyBytes, (i + 1) * keyBytes)
  }

  absentKey(i: number): Buffer {
    const at = (i * keyBytes) % this.#absent.length
    return this.#absent.subarray(at, at + keyBytes)
  }

  value(i: number): Buffer {
    return this.#values[i % this.#values.length]!
  }
}

/** Half of it does not compress, half does. */
export function halfCompressible(i: number, bytes = valueBytes): Buffer {
  const value = Buffer.alloc(bytes, '{"name":"a field of a record","state":"active"}   ')
  createHash('shake256', { outputLength: bytes >>> 1 })
    .update(String(i))
    .digest()
    .copy(value)
  return value
}
