import { CommandArguments } from './command-arguments.js'
import { splitInline } from './inline-arguments.js'

/** Longest line: an inline command, or the digits of a length. As in Redis. */
const lineBytesMax = 64 * 1024
/** Before AUTH a stranger gets only what AUTH and HELLO need. As in Redis. */
const strangerArgumentsMax = 10
const strangerBulkBytesMax = 16_384

export interface ParserLimits {
  /** Arguments of one command. */
  argumentsMax: number
  /** Bytes of one argument. */
  bulkBytesMax: number
}

/** `command`: `args` holds one; `more`: the bytes end inside a frame; `broken`: `error` says how, nothing after it makes sense. */
export type Parsed = 'command' | 'more' | 'broken'

const crMissing = -1
const notNumber = -2

/**
 * RESP requests, parsed in place: the arguments stay where they were received, and a frame that is not complete yet is
 * taken up where it ended, so any split of the stream costs linear time. An announced length over a limit is refused
 * before a byte of it is waited for. Grammar, tolerance and error texts are those of Redis 7 (networking.c).
 */
export class RespParser {
  /** The latest command. Whoever keeps it puts another in its place. */
  args = new CommandArguments()
  /** Where the next byte is read. */
  position = 0
  /** Where the unfinished frame begins: bytes before it are parsed, those of the latest command included. */
  frameStart = 0
  error = ''
  /** Not authenticated yet: tighter limits. */
  stranger = false
  readonly #limits: ParserLimits
  /** Arguments of the frame still to come. */
  #remaining = 0
  /** Length of the next argument, or -1 when its header has not been read. */
  #bulkLength = -1
  /** No line end before this place. */
  #searched = 0
  #lengthEnd = 0

  constructor(limits: ParserLimits) {
    this.#limits = limits
  }

  /** Bytes that the frame needs at least, counted from `frameStart`, as far as its headers tell. */
  get frameBytesKnown(): number {
    return this.position - this.frameStart + (this.#bulkLength < 0 ? 0 : this.#bulkLength + 2)
  }

  /** The bytes from `frameStart` were moved to the beginning of a buffer. */
  moved(): void {
    const distance = this.frameStart
    if (distance !== 0) {
      this.args.shift(distance)
      this.position -= distance
      this.#searched -= distance
      this.frameStart = 0
    }
  }

  /** Goes back to the beginning of a frame. */
  rewind(frameStart: number): void {
    this.frameStart = frameStart
    this.position = frameStart
    this.args.count = 0
    this.#remaining = 0
    this.#bulkLength = -1
    this.#searched = 0
  }

  next(bytes: Buffer, end: number): Parsed {
    const { args } = this
    args.bytes = bytes
    while (this.#remaining === 0) {
      const start = this.position
      this.frameStart = start
      args.count = 0
      if (start >= end) return 'more'
      if (bytes[start] !== 42) {
        const parsed = this.#inline(bytes, end)
        if (parsed !== undefined) return parsed
        continue
      }
      const count = this.#length(bytes, end)
      if (count === crMissing) return this.#lineMissing(end, 'too big mbulk count string')
      if (count === notNumber || count > this.#limits.argumentsMax) return this.#broken('invalid multibulk length')
      if (this.stranger && count > strangerArgumentsMax) return this.#broken('unauthenticated multibulk length')
      this.position = this.#lengthEnd
      if (count > 0) this.#remaining = count
    }
    while (this.#remaining > 0) {
      if (this.#bulkLength < 0) {
        const length = this.#length(bytes, end)
        if (length === crMissing) return this.#lineMissing(end, 'too big bulk count string')
        const first = bytes[this.position]!
        if (first !== 36) return this.#broken(`expected '$', got '${String.fromCharCode(first)}'`)
        if (length < 0 || length > this.#limits.bulkBytesMax) return this.#broken('invalid bulk length')
        if (this.stranger && length > strangerBulkBytesMax) return this.#broken('unauthenticated bulk length')
        this.#bulkLength = length
        this.position = this.#lengthEnd
      }
      const dataEnd = this.position + this.#bulkLength
      if (dataEnd + 2 > end) return 'more'
      args.add(this.position, dataEnd)
      this.position = dataEnd + 2
      this.#bulkLength = -1
      this.#remaining--
    }
    this.frameStart = this.position
    return 'command'
  }

  /**
   * The number after the type byte at `position`. Sets `#lengthEnd` behind its line end, whose second byte is not looked
   * at, as in Redis. Lengths of 2^53 and more are all the same: too large. Any number below 0 is -3.
   */
  #length(bytes: Buffer, end: number): number {
    let at = this.position + 1
    let value = 0
    for (; at < end; at++) {
      const digit = bytes[at]! - 48
      if (digit < 0 || digit > 9) break
      value = value * 10 + digit
    }
    if (at < end && bytes[at] === 13) {
      if (at + 2 > end) return crMissing
      this.#lengthEnd = at + 2
      const first = bytes[this.position + 1]!
      return first === 13 || (first === 48 && at > this.position + 2) || at - this.position > 20 ? notNumber : value
    }
    return this.#unusualLength(bytes, end)
  }

  #unusualLength(bytes: Buffer, end: number): number {
    const from = Math.max(this.position, this.#searched)
    const offset = bytes.subarray(from, end).indexOf(13)
    const found = from + offset
    if (offset < 0 || found + 2 > end) {
      this.#searched = offset < 0 ? end : found
      return crMissing
    }
    this.#lengthEnd = found + 2
    const text = bytes.toString('latin1', this.position + 1, Math.min(found, this.position + 24))
    return /^-[1-9][0-9]{0,18}$/.test(text) ? -3 : notNumber
  }

  #lineMissing(end: number, problem: string): Parsed {
    return end - this.position > lineBytesMax ? this.#broken(problem) : 'more'
  }

  /** `undefined`: an empty line, which is no command. */
  #inline(bytes: Buffer, end: number): Parsed | undefined {
    const { args, position } = this
    const from = Math.max(position, this.#searched)
    const offset = bytes.subarray(from, end).indexOf(10)
    const found = from + offset
    if (offset < 0) {
      this.#searched = end
      return this.#lineMissing(end, 'too big inline request')
    }
    const lineEnd = found > position && bytes[found - 1] === 13 ? found - 1 : found
    // Redis only notices while the line end is missing; here any split of the stream must give the same answer.
    if (found - position > lineBytesMax) return this.#broken('too big inline request')
    const words = splitInline(bytes.subarray(position, lineEnd))
    if (words === undefined) return this.#broken('unbalanced quotes in request')
    this.position = found + 1
    this.frameStart = this.position
    if (words.length === 0) return undefined
    args.bytes = Buffer.concat(words)
    let at = 0
    for (const word of words) {
      args.add(at, at + word.length)
      at += word.length
    }
    return 'command'
  }

  #broken(problem: string): Parsed {
    this.error = `Protocol error: ${problem}`
    return 'broken'
  }
}
