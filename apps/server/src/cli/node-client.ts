import { Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http'
import { passwordFrom } from '../config/load-config.js'
import type { Config } from '../config/resolve-config.js'
import { CliError, exitCode } from './exit-code.js'

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

export interface Ask {
  method?: 'GET' | 'PUT' | 'DELETE' | 'POST'
  /** Sent as it is: unlike `fetch`, which would resolve a key named `..`. */
  path: string
  headers?: OutgoingHttpHeaders
  body?: Uint8Array | string
  /** Statuses from 400 on that the caller handles itself. */
  accept?: readonly number[]
}

/** No answer came: whether the request was done is not known. */
export class ConnectionError extends CliError {
  constructor(message: string) {
    super(exitCode.cannotConnect, message)
  }
}

const loopbackFor = (host: string) => (host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host)

/** The node's address: `url`, or what `http-host` and `http-port` say. */
export function nodeUrl(config: Config): URL {
  const given = config.optionalText('url')
  const host = loopbackFor(config.text('http-host'))
  const text = given ?? `http://${host.includes(':') ? `[${host}]` : host}:${config.number('http-port')}`
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'http:')
    throw new CliError(exitCode.usage, `url is an address such as http://127.0.0.1:7380, not ${text}`)
  return url
}

/** Speaks the HTTP API to one node, and turns what goes wrong into sentences. */
export class NodeClient {
  readonly url: URL
  readonly #agent: Agent
  readonly #timeoutMs: number
  readonly #authorization: string | undefined

  constructor(options: { url: URL; timeoutMs: number; password: string | undefined; connections?: number }) {
    this.url = options.url
    this.#timeoutMs = options.timeoutMs
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.connections ?? 8 })
    this.#authorization =
      options.password === undefined
        ? undefined
        : `Basic ${Buffer.from(`default:${options.password}`).toString('base64')}`
  }

  static async from(config: Config, connections?: number): Promise<NodeClient> {
    return new NodeClient({
      url: nodeUrl(config),
      timeoutMs: config.number('timeout-ms'),
      password: await passwordFrom(config),
      ...(connections === undefined ? {} : { connections }),
    })
  }

  #connectionError(error: NodeJS.ErrnoException): ConnectionError {
    const { origin } = this.url
    switch (error.code) {
      case 'ECONNREFUSED':
        return new ConnectionError(
          `nothing answers at ${origin}: start a node with "npm start", or name another with --url`,
        )
      case 'ECONNRESET':
      case 'EPIPE':
        return new ConnectionError(`${origin} ended the connection before it answered: the node may have stopped`)
      default:
        return new ConnectionError(`cannot reach ${origin}: ${error.message}`)
    }
  }

  /** Throws `ConnectionError` where no answer came, and `CliError` with the node's sentence for statuses from 400 on. */
  async ask({ method = 'GET', path, headers, body, accept = [] }: Ask): Promise<Answer> {
    const answer = await new Promise<Answer>((resolve, reject) => {
      const sent = request(
        {
          agent: this.#agent,
          host: this.url.hostname.replace(/^\[(.*)\]$/, '$1'),
          port: this.url.port || 80,
          method,
          path,
          timeout: this.#timeoutMs,
          headers: {
            host: this.url.host,
            ...(this.#authorization === undefined ? {} : { authorization: this.#authorization }),
            ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
            ...headers,
          },
        },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.on('error', (error) => reject(this.#connectionError(error)))
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
          )
        },
      )
      sent.on('timeout', () => sent.destroy(new Error(`no answer within ${this.#timeoutMs} ms (--timeout-ms)`)))
      sent.on('error', (error) => reject(this.#connectionError(error)))
      sent.end(body)
    })
    if (answer.status >= 400 && !accept.includes(answer.status))
      throw new CliError(exitCode.failed, this.#refusal(answer))
    return answer
  }

  #refusal({ status, body }: Answer): string {
    if (status === 401) return `${this.url.origin} asks for a password: give it with --password-file FILE`
    try {
      const { error } = JSON.parse(body.toString()) as { error: { code: string; message: string } }
      return `${error.message} (${error.code})`
    } catch {
      return `${this.url.origin} answered ${status}: is a Caskade node there?`
    }
  }

  close(): void {
    this.#agent.destroy()
  }
}
