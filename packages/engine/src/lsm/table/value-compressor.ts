import { viewOf } from '../../bytes.js'
import { copyBytes } from '../../copy-bytes.js'

/** The distance of a match is two bytes. */
const distanceMax = 65_535
const matchMin = 4
const hashBits = 12
/** Larger values are stored as they are. */
export const compressedValueBytesMax = 1 << 20

/**
 * Compresses values one by one as LZ4 sequences (the LZ4 block format: token, literals, distance, match) whose matches may
 * reach back into a dictionary that stands before every value. A point read then decompresses its own value and nothing
 * else, while small values that resemble each other still share what they have in common (as in Zstandard's dictionaries).
 * Unlike an LZ4 block, a value may end with a match: its decoder copies no further than it is told.
 */
export class ValueCompressor {
  /** What `compress` made: `output[0, length)`, until the next call. */
  output = Buffer.allocUnsafeSlow(512)
  /** The dictionary, and behind it the value at work. */
  #window: Buffer
  #view: DataView
  readonly #dictionaryBytes: number
  /** By hash of four bytes: one place in the dictionary, 1 based; 0: none. */
  readonly #dictionaryPlaces = new Uint16Array(1 << hashBits)
  /** By hash: the latest place in the value, added to `#epoch`; anything below `#epoch` belongs to an earlier value. */
  readonly #valuePlaces = new Int32Array(1 << hashBits)
  #epoch = 1

  constructor(dictionary: Uint8Array) {
    this.#dictionaryBytes = dictionary.length
    this.#window = Buffer.allocUnsafeSlow(dictionary.length + 1024)
    this.#window.set(dictionary)
    this.#view = viewOf(this.#window)
    for (let at = 0; at + matchMin <= dictionary.length; at++)
      this.#dictionaryPlaces[hashOf(this.#view.getInt32(at, true))] = at + 1
  }

  /** Length of the compressed value in `output`; 0 when it would save less than an eighth. */
  compress(source: Uint8Array, start: number, end: number): number {
    const size = end - start
    const most = size - (size >>> 3) - 1
    if (size < 2 * matchMin || size > compressedValueBytesMax) return 0
    this.#load(source, start, end)
    const view = this.#view
    const dictionaryPlaces = this.#dictionaryPlaces
    const valuePlaces = this.#valuePlaces
    const base = this.#dictionaryBytes
    const windowEnd = base + size
    const epoch = this.#epoch - base
    const lastMatch = windowEnd - matchMin
    let literals = base
    let to = 0
    for (let at = base; at <= lastMatch; ) {
      const four = view.getInt32(at, true)
      const hash = hashOf(four)
      let from = valuePlaces[hash]! - epoch
      valuePlaces[hash] = epoch + at
      if (from < base || at - from > distanceMax || view.getInt32(from, true) !== four) {
        from = dictionaryPlaces[hash]! - 1
        if (from < 0 || at - from > distanceMax || view.getInt32(from, true) !== four) {
          // Where nothing matches for long, look less often (as LZ4 does).
          at += 1 + ((at - literals) >>> 6)
          continue
        }
      }
      let length = matchMin
      while (at + length + 4 <= windowEnd && view.getInt32(at + length, true) === view.getInt32(from + length, true))
        length += 4
      while (at + length < windowEnd && view.getUint8(at + length) === view.getUint8(from + length)) length++
      while (at > literals && from > 0 && view.getUint8(at - 1) === view.getUint8(from - 1)) {
        at--
        from--
        length++
      }
      to = this.#sequence(to, literals, at, at - from, length)
      at += length
      literals = at
      if (to > most) break
    }
    if (literals < windowEnd && to <= most) to = this.#sequence(to, literals, windowEnd, 0, 0)
    this.#epoch += size
    return to > most ? 0 : to
  }

  #load(source: Uint8Array, start: number, end: number): void {
    const base = this.#dictionaryBytes
    const needed = base + end - start
    if (needed > this.#window.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#window.length))
      larger.set(this.#window.subarray(0, base))
      this.#window = larger
      this.#view = viewOf(larger)
    }
    if (this.#epoch > 0x4000_0000) {
      this.#valuePlaces.fill(0)
      this.#epoch = 1
    }
    copyBytes(source, start, end, this.#window, base)
  }

  /** One sequence; without a match (`length` 0) it is the last. Returns where the next goes. */
  #sequence(to: number, literals: number, literalsEnd: number, distance: number, length: number): number {
    const count = literalsEnd - literals
    const needed = to + count + count / 255 + length / 255 + 16
    if (needed > this.output.length) {
      const larger = Buffer.allocUnsafeSlow(Math.ceil(2 * needed))
      larger.set(this.output.subarray(0, to))
      this.output = larger
    }
    const { output } = this
    const extra = length === 0 ? 0 : length - matchMin
    output[to++] = (Math.min(count, 15) << 4) | Math.min(extra, 15)
    if (count >= 15) to = putLength(output, to, count - 15)
    to = copyBytes(this.#window, literals, literalsEnd, output, to)
    if (length === 0) return to
    output[to++] = distance
    output[to++] = distance >>> 8
    return extra >= 15 ? putLength(output, to, extra - 15) : to
  }
}

function putLength(bytes: Uint8Array, to: number, rest: number): number {
  for (; rest >= 255; rest -= 255) bytes[to++] = 255
  bytes[to++] = rest
  return to
}

/** Knuth's multiplicative hash, as in LZ4. */
const hashOf = (four: number) => Math.imul(four, -1640531535) >>> (32 - hashBits)
