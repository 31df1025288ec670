// The global is a getter, and a fifth of the copy of a small value.
import { Buffer } from 'node:buffer'

const { copy } = Buffer.prototype

/** Bytes the buffer starts with, and goes back to after a large reply. */
const bufferBytes = 128 * 1024

/** A reply would pass the bound of the output: nothing of it is kept. */
export class ReplyTooLargeError extends Error {
  override readonly name = 'ReplyTooLargeError'
}

/**
 * RESP2 and RESP3 replies, appended to one buffer that all connections take turns with: it is empty between events.
 * Whoever hands its bytes to a socket that has not written them yet calls `release`, and the next reply gets a new buffer.
 */
export class ReplyWriter {
  bytes: Buffer = Buffer.allocUnsafeSlow(bufferBytes)
  length = 0
  /** Of the connection that is served now. */
  protocol: 2 | 3 = 2
  /** Error replies written so far. */
  errors = 0
  /** Code of the latest error reply, such as `ERR`. */
  errorCode = ''
  readonly #bytesMax: number

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  release(): void {
    this.bytes = Buffer.allocUnsafeSlow(bufferBytes)
    this.length = 0
  }

  /** The bytes are written: the buffer is free again. */
  clear(): void {
    this.length = 0
    if (this.bytes.length > 8 * bufferBytes) this.release()
  }

  #reserve(count: number): void {
    const needed = this.length + count
    if (needed > this.bytes.length) this.#grow(needed)
  }

  #grow(needed: number): void {
    if (needed > this.#bytesMax) throw new ReplyTooLargeError()
    const larger = Buffer.allocUnsafeSlow(Math.min(this.#bytesMax, Math.max(needed, 2 * this.bytes.length)))
    this.bytes.copy(larger, 0, 0, this.length)
    this.bytes = larger
  }

  #latin1(text: string): void {
    this.#reserve(text.length)
    this.length += this.bytes.write(text, this.length, 'latin1')
  }

  /** `type` and a whole number of at least 0 and below 2^31, and the line end. */
  #header(type: number, value: number): void {
    this.#reserve(16)
    const { bytes } = this
    let at = this.length
    bytes[at++] = type
    if (value < 10) {
      bytes[at++] = 48 + value
    } else {
      let digits = 2
      for (let bound = 100; value >= bound; bound *= 10) digits++
      let rest = value
      for (let i = at + digits - 1; i >= at; i--) {
        const next = (rest / 10) | 0
        bytes[i] = 48 + rest - next * 10
        rest = next
      }
      at += digits
    }
    bytes[at] = 13
    bytes[at + 1] = 10
    this.length = at + 2
  }

  /** Bytes that are replies already. */
  raw(replies: Uint8Array): void {
    this.#reserve(replies.length)
    this.bytes.set(replies, this.length)
    this.length += replies.length
  }

  ok(): void {
    this.#reserve(5)
    const { bytes, length } = this
    bytes[length] = 43
    bytes[length + 1] = 79
    bytes[length + 2] = 75
    bytes[length + 3] = 13
    bytes[length + 4] = 10
    this.length = length + 5
  }

  simple(text: string): void {
    this.#latin1(`+${text}\r\n`)
  }

  integer(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0 && value < 0x7fffffff) this.#header(58, value)
    else this.#latin1(`:${value}\r\n`)
  }

  bulk(source: Uint8Array, start: number, end: number): void {
    const size = end - start
    this.#header(36, size)
    this.#reserve(size + 2)
    const { bytes, length } = this
    // The cheapest copy of a slice above some 16 bytes.
    copy.call(source, bytes, length, start, end)
    bytes[length + size] = 13
    bytes[length + size + 1] = 10
    this.length = length + size + 2
  }

  bulkBytes(value: Uint8Array): void {
    this.bulk(value, 0, value.length)
  }

  /** `text` as latin1. */
  bulkText(text: string): void {
    this.#header(36, text.length)
    this.#latin1(text)
    this.#latin1('\r\n')
  }

  /** A missing value. */
  none(): void {
    this.#latin1(this.protocol === 3 ? '_\r\n' : '$-1\r\n')
  }

  /** The missing array that an aborted EXEC answers. */
  noneArray(): void {
    this.#latin1(this.protocol === 3 ? '_\r\n' : '*-1\r\n')
  }

  array(count: number): void {
    this.#header(42, count)
  }

  /** `count` pairs follow. */
  map(count: number): void {
    if (this.protocol === 3) this.#header(37, count)
    else this.#header(42, 2 * count)
  }

  set(count: number): void {
    this.#header(this.protocol === 3 ? 126 : 42, count)
  }

  /** Text for people (`txt` in RESP3); latin1. */
  verbatim(text: string): void {
    if (this.protocol === 3) {
      this.#header(61, text.length + 4)
      this.#latin1(`txt:${text}\r\n`)
    } else {
      this.bulkText(text)
    }
  }

  /**
   * `message` without its dash, beginning with its code. Line ends in echoed input become blanks: a client could
   * otherwise be made to read a forged reply (CVE-2025-67733).
   */
  error(message: string): void {
    this.errors++
    const space = message.indexOf(' ')
    this.errorCode = space < 0 ? message : message.slice(0, space)
    this.#latin1(`-${message.replace(/[\r\n]/g, ' ')}\r\n`)
  }
}
