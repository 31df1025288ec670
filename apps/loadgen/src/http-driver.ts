import type { CommandBuffer } from './command-buffer.js'
import { type Driver, ProtocolError, Reply } from './driver.js'
import { HttpResponseReader } from './http-response.js'
import type { DriverOptions } from './resp-driver.js'
import { scanOperation } from './workload.js'

export interface HttpDriverOptions extends DriverOptions {
  /** For the Host header. */
  host: string
  /** Records of the key space: decides how long the prefix of a scan is. */
  recordCount: number
}

interface Item {
  key?: unknown
  value?: unknown
}

/**
 * The HTTP API, pipelined as HTTP/1.1 allows. A scan starts at no key there but at a prefix, so YCSB's "from this key, this many" becomes
 * the longest prefix of the key that about that many records share, with `limit`.
 */
export class HttpDriver implements Driver {
  readonly reply = new Reply()
  readonly #options: HttpDriverOptions
  readonly #response = new HttpResponseReader()
  readonly #getHead: string
  readonly #getTail: string
  readonly #scanHead: string
  readonly #putHead: string
  readonly #putTail: string
  readonly #batchHead: string

  constructor(options: HttpDriverOptions) {
    this.#options = options
    const { host, password, values } = options
    const authorization =
      password === undefined ? '' : `Authorization: Basic ${Buffer.from(`loadgen:${password}`).toString('base64')}\r\n`
    const common = ` HTTP/1.1\r\nHost: ${host}\r\n${authorization}`
    const json = `${common}Content-Type: application/json\r\nContent-Length: `
    this.#getHead = 'GET /api/v1/kv/'
    this.#getTail = `${common}\r\n`
    this.#scanHead = 'GET /api/v1/kv?prefix='
    this.#putHead = 'PUT /api/v1/kv/'
    this.#putTail = `${json}${values.valueBytes + 12}\r\n\r\n{"value":"`
    this.#batchHead = `POST /api/v1/kv/batch${json}`
  }

  greet(): number {
    return 0
  }

  read(out: CommandBuffer, records: Float64Array, count: number): void {
    const { keys } = this.#options
    if (count === 1) {
      out.appendText(this.#getHead)
      this.#key(out, records[0]!)
      out.appendText(this.#getTail)
      return
    }
    const body = `{"keys":["${Array.from(records.subarray(0, count), (record) => keys.keyOf(record)).join('","')}"]}`
    out.appendText(`${this.#batchHead}${body.length}\r\n\r\n${body}`)
  }

  write(out: CommandBuffer, record: number, sequence: number): void {
    const { values } = this.#options
    out.appendText(this.#putHead)
    this.#key(out, record)
    out.appendText(this.#putTail)
    out.reserve(values.valueBytes)
    values.write(out.bytes, out.length, record, sequence)
    out.length += values.valueBytes
    out.appendText('"}')
  }

  scan(out: CommandBuffer, record: number, length: number): void {
    const { keys, recordCount } = this.#options
    const digits = Math.max(0, Math.floor(Math.log(Math.max(1, recordCount / length)) / Math.log(16)))
    const prefix = keys.keyOf(record).slice(0, keys.prefix.length + digits)
    out.appendText(`${this.#scanHead}${prefix}&limit=${length}${this.#getTail}`)
  }

  parse(bytes: Buffer, at: number, end: number, kind: number, count: number): number {
    const response = this.#response
    const reply = this.reply
    reply.begin()
    const position = response.next(bytes, at, end)
    if (position < 0) return -1
    const { status } = response
    if (status === 404 && count > 0) {
      reply.status = 'absent'
      if (this.#options.keepValues) reply.add(bytes, -1, -1, undefined)
    } else if (status < 200 || status > 299) {
      reply.fail(
        `http ${status}`,
        response.body.toString('utf8', response.bodyStart, Math.min(response.bodyEnd, response.bodyStart + 200)),
      )
    } else if (count > 0 && this.#options.keepValues) {
      this.#takeItems(
        response.body.toString('latin1', response.bodyStart, response.bodyEnd),
        count > 1 || kind === scanOperation,
      )
    }
    return position
  }

  /** Latin1 keeps one character per byte, so that lengths are those on the wire; values of ours are ASCII. */
  #takeItems(text: string, several: boolean): void {
    let items: Item[]
    try {
      const body = JSON.parse(text)
      items = several ? body.items : [body]
      if (!Array.isArray(items)) throw new Error('no "items" array')
    } catch (error) {
      throw new ProtocolError(`a response body that is not what the API answers: ${(error as Error).message}`)
    }
    const values = items.map(({ value }) => (value === undefined || value === null ? undefined : asText(value)))
    const bytes = Buffer.from(values.join(''), 'latin1')
    let at = 0
    for (const [i, { key }] of items.entries()) {
      const value = values[i]
      if (value === undefined) this.reply.status = 'absent'
      const start = value === undefined ? -1 : at
      at += value?.length ?? 0
      this.reply.add(bytes, start, at, asText(key))
    }
  }

  #key(out: CommandBuffer, record: number): void {
    const { keys } = this.#options
    out.reserve(keys.keyBytes)
    keys.write(out.bytes, out.length, record)
    out.length += keys.keyBytes
  }
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
