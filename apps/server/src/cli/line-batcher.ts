import { readKey } from '../http/write-decoder.js'
import { JsonScanner } from '../json/json-scanner.js'

/** Whole lines, as they came. */
export interface LineBatch {
  bytes: Buffer
  lines: number
  /** Bytes and lines of the input up to the end of this batch. */
  endBytes: number
  endLines: number
}

export interface BatcherLimits {
  recordsMax: number
  /** Reached or passed by one line at most. */
  bytesMax: number
  /** A longer line is refused instead of filling the memory. */
  lineBytesMax: number
}

const lineFeed = 0x0a

/** Cuts a stream of bytes into batches of whole lines. Each byte is copied once. */
export class LineBatcher {
  readonly #limits: BatcherLimits
  #parts: Buffer[] = []
  #bytes = 0
  #lines = 0
  /** Bytes after the last line end. */
  #openBytes = 0
  #endBytes: number
  #endLines: number

  /** `startBytes` and `startLines`: what was left out before. */
  constructor(limits: BatcherLimits, startBytes = 0, startLines = 0) {
    this.#limits = limits
    this.#endBytes = startBytes
    this.#endLines = startLines
  }

  *push(chunk: Buffer): Generator<LineBatch> {
    let from = 0
    let lineStart = 0
    for (let found = chunk.indexOf(lineFeed); found !== -1; found = chunk.indexOf(lineFeed, lineStart)) {
      lineStart = found + 1
      this.#lines++
      this.#openBytes = 0
      if (this.#lines < this.#limits.recordsMax && this.#bytes + lineStart - from < this.#limits.bytesMax) continue
      this.#add(chunk.subarray(from, lineStart))
      from = lineStart
      yield this.#take()
    }
    this.#openBytes += chunk.length - lineStart
    if (this.#openBytes > this.#limits.lineBytesMax)
      throw new RangeError(`line ${this.#endLines + this.#lines + 1} is longer than ${this.#limits.lineBytesMax} bytes`)
    this.#add(chunk.subarray(from))
  }

  /** What is left; the last line may lack its line feed. */
  *finish(): Generator<LineBatch> {
    if (this.#openBytes > 0) {
      this.#lines++
      this.#openBytes = 0
    }
    if (this.#bytes > 0) yield this.#take()
  }

  #add(part: Buffer): void {
    if (part.length === 0) return
    this.#parts.push(part)
    this.#bytes += part.length
  }

  #take(): LineBatch {
    this.#endBytes += this.#bytes
    this.#endLines += this.#lines
    const batch = {
      bytes: Buffer.concat(this.#parts, this.#bytes),
      lines: this.#lines,
      endBytes: this.#endBytes,
      endLines: this.#endLines,
    }
    this.#parts = []
    this.#bytes = 0
    this.#lines = 0
    return batch
  }
}

const start = Buffer.from('{"key": "')
const tightStart = Buffer.from('{"key":"')
const quote = 0x22
const backslash = 0x5c

/**
 * The key of a line, its bytes as latin1 text; `undefined` where the line is not well-formed (the node will say so). The
 * usual form, `{"key": "…` without escapes, is read without a scan of the line.
 */
export function lineKey(bytes: Buffer, from: number, to: number): string | undefined {
  for (const form of [start, tightStart]) {
    const keyStart = from + form.length
    if (keyStart > to || form.compare(bytes, from, keyStart) !== 0) continue
    let end = keyStart
    while (end < to && bytes[end] !== quote && bytes[end] !== backslash) end++
    if (bytes[end] === quote) return bytes.toString('latin1', keyStart, end)
  }
  try {
    let key: string | undefined
    const scanner = new JsonScanner(bytes, from, to)
    scanner.object((name) => {
      if (name === 'key') key = readKey(scanner).toString('latin1')
      else scanner.value()
    })
    return key
  } catch {
    return undefined
  }
}

export function batchKeys(bytes: Buffer): Set<string> {
  const keys = new Set<string>()
  for (let from = 0; from < bytes.length; ) {
    const found = bytes.indexOf(lineFeed, from)
    const to = found === -1 ? bytes.length : found
    const key = to === from ? undefined : lineKey(bytes, from, to)
    if (key !== undefined) keys.add(key)
    from = to + 1
  }
  return keys
}
