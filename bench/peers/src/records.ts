import { createHash } from 'node:crypto'
import { keyBytes, writeKey } from './key-bytes.js'

export const valueBytes = 100
const valueCount = 1 << 16

/** All keys and a pool of values, made before the clock starts. */
export class Records {
  readonly count: number
  readonly #keys: Buffer
  readonly #absent: Buffer
  readonly #values: Buffer[]

  constructor(count: number) {
    this.count = count
    this.#keys = Buffer.allocUnsafeSlow(count * keyBytes)
    for (let i = 0; i < count; i++) writeKey(this.#keys, i * keyBytes, i)
    this.#absent = Buffer.allocUnsafeSlow(Math.min(count, valueCount) * keyBytes)
    for (let i = 0; i < this.#absent.length / keyBytes; i++) writeKey(this.#absent, i * keyBytes, count + i)
    this.#values = Array.from({ length: valueCount }, (_, i) => halfCompressible(i))
  }

  key(i: number): Buffer {
    return this.#keys.subarray(i * keyBytes, (i + 1) * keyBytes)
  }

  absentKey(i: number): Buffer {
    const at = (i * keyBytes) % this.#absent.length
    return this.#absent.subarray(at, at + keyBytes)
  }

  value(i: number): Buffer {
    return this.#values[i % valueCount]!
  }
}

/** Half of it does not compress, half does. */
export function halfCompressible(i: number, bytes = valueBytes): Buffer {
  const value = Buffer.alloc(bytes, '{"name":"a field of a record","state":"active"}   ')
  createHash('sha512')
    .update(String(i))
    .digest()
    .copy(value, 0, 0, bytes / 2)
  return value
}
