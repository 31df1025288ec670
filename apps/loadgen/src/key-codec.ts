import { fnvHash64 } from './fnv.js'

const hexDigits = Buffer.from('0123456789abcdef')

/** Writes `value` as `digits` lower-case hexadecimal digits; exact up to 2^53. */
export function writeHex(bytes: Uint8Array, at: number, value: number, digits: number): void {
  let word = value >>> 0
  let left = 8
  for (let i = at + digits - 1; i >= at; i--) {
    if (left === 0) {
      word = Math.floor(value / 2 ** 32) >>> 0
      left = 8
    }
    bytes[i] = hexDigits[word & 15]!
    word >>>= 4
    left--
  }
}

/** The inverse of `writeHex`; -1 when a byte is not such a digit. */
export function readHex(bytes: Uint8Array, at: number, digits: number): number {
  let value = 0
  for (let i = at; i < at + digits; i++) {
    const byte = bytes[i]!
    let digit: number
    if (byte >= 48 && byte <= 57) digit = byte - 48
    else if (byte >= 97 && byte <= 102) digit = byte - 87
    else return -1
    value = value * 16 + digit
  }
  return value
}

/**
 * Record number to key: the prefix and 16 hexadecimal digits of the record's FNV hash, so that neighbours in insertion order are
 * not neighbours in key order (YCSB's `insertorder=hashed`, which writes the hash in decimal). Fixed width: leading digits are
 * uniform, which scans by prefix rely on.
 */
export class KeyCodec {
  readonly prefix: string
  readonly keyBytes: number
  readonly #prefixBytes: Buffer
  readonly #hash = new Uint32Array(2)

  constructor(prefix: string) {
    this.prefix = prefix
    this.#prefixBytes = Buffer.from(prefix, 'latin1')
    this.keyBytes = this.#prefixBytes.length + 16
  }

  write(bytes: Uint8Array, at: number, record: number): void {
    const prefix = this.#prefixBytes
    for (let i = 0; i < prefix.length; i++) bytes[at + i] = prefix[i]!
    fnvHash64(record, this.#hash)
    writeHex(bytes, at + prefix.length, this.#hash[0]!, 8)
    writeHex(bytes, at + prefix.length + 8, this.#hash[1]!, 8)
  }

  keyOf(record: number): string {
    const bytes = Buffer.allocUnsafe(this.keyBytes)
    this.write(bytes, 0, record)
    return bytes.toString('latin1')
  }
}
