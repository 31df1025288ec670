import { createHash } from 'node:crypto'

export const keyBytes = 20
export const valueBytes = 100
const valueCount = 1 << 16

/** 32-bit mixer (the finalizer of MurmurHash3): a bijection, so distinct numbers stay distinct. */
function mix(number: number): number {
  let mixed = Math.imul(number ^ (number >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

const hex = (number: number) => number.toString(16).padStart(8, '0')

/** Key number `i` of `count`: 20 characters of text in no order. Numbers from `count` on are keys that are never put. */
function writeKey(target: Buffer, at: number, i: number): void {
  target.write(`${hex(mix(i))}${hex(mix(i ^ 0x5bd1e995))}user`, at, keyBytes, 'latin1')
}

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

/** 50 bytes that do not compress, 50 that do. */
function halfCompressible(i: number): Buffer {
  const value = Buffer.alloc(valueBytes, '{"name":"a field of a record","state":"active"}   ')
  createHash('sha512')
    .update(String(i))
    .digest()
    .copy(value, 0, 0, valueBytes / 2)
  return value
}
