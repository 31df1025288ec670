import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { CliError, exitCode } from './exit-code.js'

const carriageReturn = 0x0d

/** Bytes of the reply at `at`, or 0 where it is not whole yet. Only the kinds that PING, AUTH, SET, GET and DEL get. */
function replyLength(bytes: Buffer, at: number): number {
  const lineEnd = bytes.indexOf(carriageReturn, at)
  if (lineEnd === -1 || lineEnd + 2 > bytes.length) return 0
  const head = lineEnd + 2 - at
  if (bytes[at] !== 0x24) return head
  const length = Number(bytes.toString('latin1', at + 1, lineEnd))
  if (length === -1) return head
  return at + head + length + 2 <= bytes.length ? head + length + 2 : 0
}

export function encodeCommand(...words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`
}

/** A connection to the Redis port that sends some commands at once and waits for all their replies. */
export class BenchConnection {
  readonly #socket: Socket
  #held: Buffer = Buffer.alloc(0)
  #waiting = 0
  #resolve: (() => void) | undefined
  #reject: ((error: Error) => void) | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => this.#receive(chunk))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the node closed the connection')))
  }

  static async open(host: string, port: number, password: string | undefined): Promise<BenchConnection> {
    const socket = connect({ host, port, noDelay: true })
    try {
      await once(socket, 'connect')
    } catch {
      throw new CliError(
        exitCode.cannotConnect,
        `nothing answers at ${host}:${port}: name the Redis port with --resp-port`,
      )
    }
    const connection = new BenchConnection(socket)
    if (password !== undefined) await connection.ask(encodeCommand('AUTH', password), 1)
    return connection
  }

  ask(commands: string, replies: number): Promise<void> {
    this.#waiting = replies
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      this.#socket.write(commands)
    })
  }

  #receive(chunk: Buffer): void {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    let at = 0
    for (let length = replyLength(bytes, at); length > 0; length = replyLength(bytes, at)) {
      if (bytes[at] === 0x2d) this.#fail(new Error(bytes.toString('latin1', at, at + length - 2)))
      at += length
      this.#waiting--
    }
    this.#held = bytes.subarray(at)
    if (this.#waiting === 0) this.#resolve?.()
  }

  #fail(error: Error): void {
    this.#reject?.(new CliError(exitCode.failed, `the benchmark stopped: ${error.message}`))
  }

  close(): void {
    this.#reject = undefined
    this.#socket.destroy()
  }
}
