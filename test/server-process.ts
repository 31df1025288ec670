import { type ChildProcess, spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePorts } from './free-ports.js'

/** The built command line of the server, as its package ships it. */
export const caskadePath = join(
  dirname(createRequire(import.meta.url).resolve('@caskade/server/package.json')),
  'dist/bin/caskade.js',
)

export interface ServerOptions {
  directory: string
  args?: readonly string[]
  /** Default: a free one. */
  respPort?: number
  readyTimeoutMs?: number
}

const outputCharsMax = 20_000

function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    const done = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('error', () => done(false))
    socket.once('data', (bytes) => done(bytes.toString().startsWith('+PONG')))
    socket.once('close', () => done(false))
  })
}

/** The real server in a process of its own, on free loopback ports. */
export class ServerProcess {
  readonly directory: string
  readonly respPort: number
  readonly httpPort: number
  readonly #child: ChildProcess
  readonly #exited: Promise<number | NodeJS.Signals>
  #exit: number | NodeJS.Signals | undefined
  /** The end of what it printed. */
  output = ''

  private constructor(directory: string, respPort: number, httpPort: number, args: readonly string[]) {
    this.directory = directory
    this.respPort = respPort
    this.httpPort = httpPort
    const ports = ['--resp-port', String(respPort), '--http-port', String(httpPort)]
    this.#child = spawn(process.execPath, [caskadePath, 'server', '--data-dir', directory, ...ports, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      stream.on('data', (chunk) => {
        this.output = (this.output + chunk).slice(-outputCharsMax)
      })
    this.#exited = new Promise((resolve, reject) => {
      this.#child.once('error', reject)
      this.#child.once('close', (code, signal) => {
        this.#exit = code ?? signal!
        resolve(this.#exit)
      })
    })
    this.#exited.catch(() => {})
  }

  /** Starts the process and does not wait for it to answer. */
  static async spawn({ directory, args = [], respPort }: ServerOptions): Promise<ServerProcess> {
    const [freeRespPort, httpPort] = await freePorts(2)
    return new ServerProcess(directory, respPort ?? freeRespPort!, httpPort!, args)
  }

  /** Starts the process; resolves when it answers PING, rejects with its output if it ends or stays silent. */
  static async start(options: ServerOptions): Promise<ServerProcess> {
    const server = await ServerProcess.spawn(options)
    const deadline = performance.now() + (options.readyTimeoutMs ?? 60_000)
    while (!(await answersPing(server.respPort))) {
      if (server.#exit !== undefined) throw new Error(`the server ended with ${server.#exit}:\n${server.output}`)
      if (performance.now() > deadline) {
        await server.signal('SIGKILL')
        throw new Error(`the server does not answer:\n${server.output}`)
      }
      await delay(10)
    }
    return server
  }

  get pid(): number {
    return this.#child.pid!
  }

  /** Sends a signal and resolves, when the process has ended, to its exit code or the signal that ended it. */
  async signal(signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
    this.#child.kill(signal)
    return this.#exited
  }
}
