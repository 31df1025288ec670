import type { CommandBuffer } from './command-buffer.js'
import { type Driver, ProtocolError, Reply } from './driver.js'
import type { KeyCodec } from './key-codec.js'
import { RespReader, respArray, respBulk, respError, respNull, respSimple } from './resp-reader.js'
import type { ValueWriter } from './value-codec.js'

export interface DriverOptions {
  keys: KeyCodec
  values: ValueWriter
  password: string | undefined
  /** Whether the values of replies are wanted (to verify them) or only their framing. */
  keepValues: boolean
}

/** GET, MGET and SET. The parts of a command that never change are encoded once. */
export class RespDriver implements Driver {
  readonly reply = new Reply()
  readonly #options: DriverOptions
  readonly #reader = new RespReader()
  readonly #getHead: Buffer
  readonly #setHead: Buffer
  readonly #valueHead: Buffer
  readonly #keyHead: Buffer
  readonly #keyBytes: number
  readonly #writeBytes: number

  constructor(options: DriverOptions) {
    this.#options = options
    this.#keyBytes = options.keys.keyBytes
    this.#keyHead = Buffer.from(`\r\n$${this.#keyBytes}\r\n`)
    this.#getHead = Buffer.from(`*2\r\n$3\r\nGET${this.#keyHead}`)
    this.#setHead = Buffer.from(`*3\r\n$3\r\nSET${this.#keyHead}`)
    this.#valueHead = Buffer.from(`\r\n$${options.values.valueBytes}\r\n`)
    this.#writeBytes = this.#setHead.length + this.#keyBytes + this.#valueHead.length + options.values.valueBytes + 2
  }

  greet(out: CommandBuffer): number {
    const { password } = this.#options
    if (password === undefined) return 0
    const bytes = Buffer.from(password)
    out.appendText(`*2\r\n$4\r\nAUTH\r\n$${bytes.length}\r\n${bytes.toString('latin1')}\r\n`)
    return 1
  }

  read(out: CommandBuffer, records: Float64Array, count: number): void {
    const keyBytes = this.#keyHead.length + this.#keyBytes
    if (count === 1) {
      out.reserve(this.#getHead.length + this.#keyBytes + 2)
      out.append(this.#getHead)
    } else {
      out.appendText(`*${count + 1}\r\n$4\r\nMGET`)
      out.reserve(count * keyBytes + 2)
    }
    for (let i = 0; i < count; i++) {
      if (count > 1) out.append(this.#keyHead)
      this.#key(out, records[i]!)
    }
    this.#lineEnd(out)
  }

  write(out: CommandBuffer, record: number, sequence: number): void {
    const { values } = this.#options
    out.reserve(this.#writeBytes)
    out.append(this.#setHead)
    this.#key(out, record)
    out.append(this.#valueHead)
    values.write(out.bytes, out.length, record, sequence)
    out.length += values.valueBytes
    this.#lineEnd(out)
  }

  scan(): void {
    throw new Error('SCAN has no order: ordered scans need HTTP')
  }

  parse(bytes: Buffer, at: number, end: number, _kind: number, count: number): number {
    const reader = this.#reader
    const reply = this.reply
    reply.begin()
    let position = reader.next(bytes, at, end)
    if (position < 0) return -1
    if (reader.type === respError) {
      const message = bytes.toString('latin1', reader.start, reader.end)
      reply.fail(`-${message.split(' ', 1)[0]}`, message)
      return position
    }
    if (count === 0) {
      if (reader.type !== respSimple) throw unexpected(reader.type, 'OK')
      return position
    }
    if (count === 1) {
      if (reader.type !== respBulk && reader.type !== respNull) throw unexpected(reader.type, 'a string or null')
      this.#take(bytes)
      return position
    }
    if (reader.type !== respArray || reader.integer !== count) throw unexpected(reader.type, `an array of ${count}`)
    for (let i = 0; i < count; i++) {
      position = reader.next(bytes, position, end)
      if (position < 0) return -1
      this.#take(bytes)
    }
    return position
  }

  /** Of several values, one that is missing makes the reply `absent`. */
  #take(bytes: Buffer): void {
    const { start, end } = this.#reader
    if (start < 0) this.reply.status = 'absent'
    if (this.#options.keepValues) this.reply.add(bytes, start, end, undefined)
  }

  #key(out: CommandBuffer, record: number): void {
    this.#options.keys.write(out.bytes, out.length, record)
    out.length += this.#keyBytes
  }

  #lineEnd(out: CommandBuffer): void {
    out.bytes[out.length++] = 13
    out.bytes[out.length++] = 10
  }
}

function unexpected(type: number, wanted: string): ProtocolError {
  return new ProtocolError(`expected ${wanted}, got a reply of type ${String.fromCharCode(type)}`)
}
