/**
 * A strict JSON reader over bytes that finds where values begin and end without building them, so that a stored JSON value
 * is the very text that came: big numbers, repeated names, lone surrogates and `__proto__` included. Its cost is linear and
 * it holds no more than the nesting, which is bounded before anything recurses.
 */

/** Deepest nesting of arrays and objects in one value. */
export const jsonDepthMax = 64

export class JsonSyntaxError extends Error {
  override readonly name = 'JsonSyntaxError'
  readonly code: 'CASKADE_INVALID_JSON' | 'CASKADE_JSON_TOO_DEEP'
  /** Byte offset in the scanned bytes. */
  readonly offset: number

  constructor(message: string, offset: number, code: JsonSyntaxError['code'] = 'CASKADE_INVALID_JSON') {
    super(`${message} at byte ${offset}`)
    this.offset = offset
    this.code = code
  }
}

/** Where one value lies in the bytes; `string` also says whether its text holds escapes. */
export interface JsonSlice {
  start: number
  end: number
  kind: 'string' | 'escaped-string' | 'other'
}

const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const backslash = 0x5c
const arrayOpen = 0x5b
const arrayClose = 0x5d
const objectOpen = 0x7b
const objectClose = 0x7d

const isDigit = (byte: number | undefined) => byte !== undefined && byte >= 0x30 && byte <= 0x39
const isHex = (byte: number | undefined) =>
  byte !== undefined && (isDigit(byte) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66))

/** Brackets still open in the value being skipped; one for all scanners, as a skip never yields. */
const openBrackets = new Uint8Array(jsonDepthMax)

/** A cursor over `bytes[start, end)`, which must be valid UTF-8 (ask `isUtf8` of node:buffer once for a whole body). */
export class JsonScanner {
  readonly bytes: Buffer
  readonly #end: number
  #at: number

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.bytes = bytes
    this.#at = start
    this.#end = end
  }

  get offset(): number {
    return this.#at
  }

  /** Throws with what was expected here and what came. */
  fail(expected: string): never {
    const byte = this.#at < this.#end ? this.bytes[this.#at]! : undefined
    const found =
      byte === undefined
        ? 'the end'
        : byte > 0x20 && byte < 0x7f
          ? JSON.stringify(String.fromCharCode(byte))
          : `byte 0x${byte.toString(16).padStart(2, '0')}`
    throw new JsonSyntaxError(`expected ${expected}, found ${found}`, this.#at)
  }

  #space(): void {
    const { bytes } = this
    let at = this.#at
    for (; at < this.#end; at++) {
      const byte = bytes[at]!
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break
    }
    this.#at = at
  }

  /** The next byte that is not white space, or -1 at the end; not consumed. */
  peek(): number {
    this.#space()
    return this.#at < this.#end ? this.bytes[this.#at]! : -1
  }

  #take(byte: number, expected: string): void {
    if (this.peek() !== byte) this.fail(expected)
    this.#at++
  }

  /** Nothing but white space may be left. */
  finish(): void {
    if (this.peek() !== -1) this.fail('the end')
  }

  /** Calls `member` for each member of an object with its name; `member` must consume the value. */
  object(member: (name: string) => void): void {
    this.#take(objectOpen, 'an object')
    if (this.peek() === objectClose) {
      this.#at++
      return
    }
    for (;;) {
      if (this.peek() !== quote) this.fail('a member name')
      const name = this.string()
      this.#take(colon, '":"')
      member(name)
      if (this.peek() === comma) this.#at++
      else {
        this.#take(objectClose, '"," or "}"')
        return
      }
    }
  }

  /** Calls `element` for each element of an array; `element` must consume it. */
  array(element: () => void): void {
    this.#take(arrayOpen, 'an array')
    if (this.peek() === arrayClose) {
      this.#at++
      return
    }
    for (;;) {
      element()
      if (this.peek() === comma) this.#at++
      else {
        this.#take(arrayClose, '"," or "]"')
        return
      }
    }
  }

  /** A string, decoded; may hold lone surrogates. */
  string(): string {
    return textOf(this.bytes, this.stringSlice())
  }

  stringSlice(): JsonSlice {
    if (this.peek() !== quote) this.fail('a string')
    const start = this.#at
    const escaped = this.#skipString()
    return { start, end: this.#at, kind: escaped ? 'escaped-string' : 'string' }
  }

  number(): number {
    const byte = this.peek()
    if (byte !== 0x2d && !isDigit(byte)) this.fail('a number')
    const start = this.#at
    this.#skipNumber()
    return Number(this.bytes.toString('latin1', start, this.#at))
  }

  /** Any value: checked against the grammar and skipped. */
  value(): JsonSlice {
    if (this.peek() === quote) return this.stringSlice()
    const start = this.#at
    this.#skipValue()
    return { start, end: this.#at, kind: 'other' }
  }

  // Without recursion: brackets still open are in `openBrackets`.
  #skipValue(): void {
    let depth = 0
    for (;;) {
      const byte = this.peek()
      if (byte === objectOpen || byte === arrayOpen) {
        if (depth === jsonDepthMax)
          throw new JsonSyntaxError(`nested deeper than ${jsonDepthMax}`, this.#at, 'CASKADE_JSON_TOO_DEEP')
        openBrackets[depth++] = byte
        this.#at++
        const close = byte + 2
        if (this.peek() === close) {
          this.#at++
          depth--
        } else {
          if (byte === objectOpen) this.#skipName()
          continue
        }
      } else this.#skipScalar(byte)
      // A value ended: go on to the next one, closing what ends here.
      for (;;) {
        if (depth === 0) return
        const opened = openBrackets[depth - 1]!
        const next = this.peek()
        if (next === comma) {
          this.#at++
          if (opened === objectOpen) this.#skipName()
          break
        }
        if (next !== opened + 2) this.fail(opened === objectOpen ? '"," or "}"' : '"," or "]"')
        this.#at++
        depth--
      }
    }
  }

  #skipName(): void {
    if (this.peek() !== quote) this.fail('a member name')
    this.#skipString()
    this.#take(colon, '":"')
  }

  #skipScalar(byte: number): void {
    if (byte === quote) this.#skipString()
    else if (byte === 0x2d || isDigit(byte)) this.#skipNumber()
    else if (byte === 0x74) this.#skipWord('true')
    else if (byte === 0x66) this.#skipWord('false')
    else if (byte === 0x6e) this.#skipWord('null')
    else this.fail('a value')
  }

  #skipWord(word: string): void {
    if (this.bytes.toString('latin1', this.#at, Math.min(this.#at + word.length, this.#end)) !== word) this.fail(word)
    this.#at += word.length
  }

  #skipString(): boolean {
    const { bytes } = this
    const end = this.#end
    let escaped = false
    let at = this.#at + 1
    for (; at < end; at++) {
      const byte = bytes[at]!
      if (byte === quote) {
        this.#at = at + 1
        return escaped
      }
      if (byte === backslash) {
        escaped = true
        this.#at = ++at
        at = this.#skipEscape(at)
      } else if (byte < 0x20) {
        this.#at = at
        this.fail('an escape: control characters are not allowed in a string')
      }
    }
    this.#at = at
    this.fail('the closing quote of a string')
  }

  /** Returns the last byte of the escape whose letter is at `at`. */
  #skipEscape(at: number): number {
    switch (at < this.#end ? this.bytes[at] : -1) {
      case 0x22:
      case 0x5c:
      case 0x2f:
      case 0x62:
      case 0x66:
      case 0x6e:
      case 0x72:
      case 0x74:
        return at
      case 0x75:
        for (let i = 1; i <= 4; i++) {
          this.#at = at + i
          if (this.#at >= this.#end || !isHex(this.bytes[this.#at])) this.fail('four hexadecimal digits')
        }
        return at + 4
      default:
        return this.fail('one of "\\/bfnrtu after a backslash')
    }
  }

  #skipDigits(): void {
    if (!isDigit(this.#byte())) this.fail('a digit')
    while (isDigit(this.#byte())) this.#at++
  }

  #byte(): number | undefined {
    return this.#at < this.#end ? this.bytes[this.#at] : undefined
  }

  #skipNumber(): void {
    if (this.#byte() === 0x2d) this.#at++
    if (this.#byte() === 0x30) this.#at++
    else this.#skipDigits()
    if (this.#byte() === 0x2e) {
      this.#at++
      this.#skipDigits()
    }
    const exponent = this.#byte()
    if (exponent === 0x65 || exponent === 0x45) {
      this.#at++
      const sign = this.#byte()
      if (sign === 0x2b || sign === 0x2d) this.#at++
      this.#skipDigits()
    }
  }
}

/** The decoded text of a string slice. */
export function textOf(bytes: Buffer, slice: JsonSlice): string {
  return slice.kind === 'string'
    ? bytes.toString('utf8', slice.start + 1, slice.end - 1)
    : (JSON.parse(bytes.toString('utf8', slice.start, slice.end)) as string)
}

const loneSurrogate = /\p{Surrogate}/u

/**
 * The UTF-8 bytes of a string slice: a view of `bytes` where nothing is escaped. `undefined` for a lone surrogate, which
 * has no UTF-8.
 */
export function utf8Of(bytes: Buffer, slice: JsonSlice): Buffer | undefined {
  if (slice.kind === 'string') return bytes.subarray(slice.start + 1, slice.end - 1)
  const text = textOf(bytes, slice)
  return loneSurrogate.test(text) ? undefined : Buffer.from(text, 'utf8')
}
