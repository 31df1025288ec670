import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** End of the reply that begins at `at`, or -1 when it is not complete. */
export function replyEnd(bytes: Buffer, at: number): number {
  const lineEnd = bytes.indexOf('\r\n', at)
  if (lineEnd < 0) return -1
  const type = String.fromCharCode(bytes[at]!)
  const count = Number(bytes.toString('latin1', at + 1, lineEnd))
  const next = lineEnd + 2
  if ('$=!'.includes(type)) {
    if (count < 0) return next
    return next + count + 2 <= bytes.length ? next + count + 2 : -1
  }
  const items = '*~>'.includes(type) ? count : type === '%' ? 2 * count : 0
  let end = next
  for (let i = 0; i < items && end >= 0; i++) end = end >= bytes.length ? -1 : replyEnd(bytes, end)
  return end
}

/** A command as a client library sends it. */
export function encode(words: readonly (string | Uint8Array)[]): Buffer {
  const parts: (string | Uint8Array)[] = [`*${words.length}\r\n`]
  for (const word of words) {
    const bytes = typeof word === 'string' ? Buffer.from(word) : word
    parts.push(`$${bytes.length}\r\n`, bytes, '\r\n')
  }
  return Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
}

/** A socket that hands out replies as the raw bytes they are. */
export class RawClient {
  readonly socket: Socket
  #bytes: Buffer = Buffer.alloc(0)
  #wake: (() => void) | undefined
  closed = false

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      this.#wake?.()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.closed = true
      this.#wake?.()
    })
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(bytes)
  }

  /** The next `count` replies as latin1 text; fewer when the server closes. */
  async replies(count: number): Promise<string[]> {
    const found: string[] = []
    let at = 0
    while (found.length < count) {
      const end = at < this.#bytes.length ? replyEnd(this.#bytes, at) : -1
      if (end >= 0) {
        found.push(this.#bytes.toString('latin1', at, end))
        at = end
      } else if (this.closed) {
        break
      } else {
        await this.#more()
      }
    }
    this.#bytes = this.#bytes.subarray(at)
    return found
  }

  /** One command, given as words. */
  async call(...words: (string | Uint8Array)[]): Promise<string> {
    this.send(encode(words))
    return (await this.replies(1))[0] ?? ''
  }

  /** Everything until the server closes, as latin1 text. */
  async untilClosed(): Promise<string> {
    while (!this.closed) await this.#more()
    return this.#bytes.toString('latin1')
  }

  async #more(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    this.#wake = undefined
  }

  close(): void {
    this.socket.destroy()
  }
}
