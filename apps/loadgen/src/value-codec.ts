import { crc32 } from 'node:zlib'
import { readHex, writeHex } from './key-codec.js'
import { Random } from './random.js'

/*
 * A tagged value, all ASCII so that it is the same over RESP and inside JSON:
 *
 *   crc32 (8 hex) ':' record (13 hex) ':' sequence (8 hex) ':' bytes (8 hex) ':' filler
 *
 * The checksum covers everything after itself. `bytes` is the length of the whole value.
 */
const recordAt = 9
const sequenceAt = 23
const bytesAt = 32
/** Bytes of a tagged value without filler: the smallest that can be verified. */
export const taggedBytesMin = 41

/** More than LZ4 and zlib look back, so that fillers of neighbouring values do not compress against each other. */
const poolBytes = 1 << 20
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Text that shrinks to about half under LZ4: 32 random characters, then one character 32 times, and so on. */
function fillerPool(random: Random): Buffer {
  const pool = Buffer.alloc(poolBytes)
  for (let at = 0; at < poolBytes; at += 64) {
    for (let i = 0; i < 32; i++) pool[at + i] = alphabet.charCodeAt(random.nextUint32() & 63)
    pool.fill(alphabet.charCodeAt(random.nextUint32() & 63), at + 32, at + 64)
  }
  return pool
}

/** Writes values of one size. */
export class ValueWriter {
  readonly valueBytes: number
  readonly #tagged: boolean
  readonly #pool: Buffer
  readonly #random: Random

  /** @param tagged whether values carry their record and sequence; RangeError when `valueBytes` has no room for it. */
  constructor(valueBytes: number, tagged: boolean, seed: number) {
    if (tagged && valueBytes < taggedBytesMin) {
      throw new RangeError(`a value that can be verified needs at least ${taggedBytesMin} bytes, not ${valueBytes}`)
    }
    this.valueBytes = valueBytes
    this.#tagged = tagged
    this.#random = new Random(seed, 0xf111)
    this.#pool = fillerPool(this.#random)
  }

  /** Fills `bytes[at, at + valueBytes)`. `sequence` matters only when values are tagged. */
  write(bytes: Buffer, at: number, record: number, sequence: number): void {
    if (!this.#tagged) {
      this.#fill(bytes, at, this.valueBytes)
      return
    }
    bytes[at + 8] = 58
    writeHex(bytes, at + recordAt, record, 13)
    bytes[at + recordAt + 13] = 58
    writeHex(bytes, at + sequenceAt, sequence, 8)
    bytes[at + sequenceAt + 8] = 58
    writeHex(bytes, at + bytesAt, this.valueBytes, 8)
    bytes[at + bytesAt + 8] = 58
    this.#fill(bytes, at + taggedBytesMin, this.valueBytes - taggedBytesMin)
    writeHex(bytes, at, crc32(bytes.subarray(at + 8, at + this.valueBytes)), 8)
  }

  #fill(bytes: Buffer, at: number, length: number): void {
    let done = 0
    while (done < length) {
      const take = Math.min(length - done, poolBytes >> 1)
      const from = this.#random.nextUint32() & ((poolBytes >> 1) - 1)
      this.#pool.copy(bytes, at + done, from, from + take)
      done += take
    }
  }
}

export interface ValueTag {
  record: number
  sequence: number
}

/** Reads the tag of `bytes[start, end)` into `tag`. False: not a whole, undamaged tagged value. */
export function readValueTag(bytes: Uint8Array, start: number, end: number, tag: ValueTag): boolean {
  if (end - start < taggedBytesMin) return false
  if (readHex(bytes, start, 8) !== crc32(bytes.subarray(start + 8, end))) return false
  if (readHex(bytes, start + bytesAt, 8) !== end - start) return false
  tag.record = readHex(bytes, start + recordAt, 13)
  tag.sequence = readHex(bytes, start + sequenceAt, 8)
  return tag.record >= 0 && tag.sequence >= 0
}
