import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Target } from './connection-run.js'
import type { StoreKind } from './settings.js'

const readyMs = 30_000
const outputCharsMax = 4000

/** What starts a node: `CASKADE_BIN`, a script or a program, or the `caskade` of the path. */
function nodeCommand(): { command: string; first: string[] } {
  const command = process.env.CASKADE_BIN ?? 'caskade'
  return /\.[cm]?js$/.test(command)
    ? { command: process.execPath, first: ['--single-threaded-gc', command] }
    : { command, first: [] }
}

/** A node in a process and a temporary directory of its own, both gone when it is disposed of. */
export class StoreNode implements AsyncDisposable {
  readonly resp: Target
  readonly http: Target
  readonly #directory: string
  readonly #child: ChildProcess
  readonly #ended: Promise<string>
  #output = ''

  private constructor(store: StoreKind, respPort: number, httpPort: number) {
    this.resp = { host: '127.0.0.1', port: respPort }
    this.http = { host: '127.0.0.1', port: httpPort }
    this.#directory = mkdtempSync(join(tmpdir(), `caskade-loadgen-${store}-`))
    const { command, first } = nodeCommand()
    const place = ['--data-dir', this.#directory, '--resp-port', `${respPort}`, '--http-port', `${httpPort}`]
    this.#child = spawn(command, [...first, 'server', '--store', store, ...place, '--log-level', 'warn'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      stream.on('data', (chunk) => {
        this.#output = (this.#output + chunk).slice(-outputCharsMax)
      })
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(error.message))
      this.#child.once('close', (code, signal) => resolve(`it ended with ${code ?? signal}: ${this.#output}`))
    })
  }

  /** Resolves when the node answers; throws with what it printed if it does not. */
  static async start(store: StoreKind): Promise<StoreNode> {
    const node = new StoreNode(store, await freePort(), await freePort())
    let end: string | undefined
    void node.#ended.then((reason) => {
      end = reason
    })
    const deadline = performance.now() + readyMs
    while (!(await answers(node.resp))) {
      if (end === undefined && performance.now() < deadline) {
        await delay(20)
        continue
      }
      await node[Symbol.asyncDispose]()
      const { command } = nodeCommand()
      throw new Error(
        `no ${store} node could be started with '${command}' (CASKADE_BIN names another): ${end ?? 'it does not answer'}`,
      )
    }
    return node
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM')
    await this.#ended
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}

/** Anything at all to a PING: a node with a password refuses it. */
function answers({ host, port }: Target): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host, () => socket.write('PING\r\n'))
    const done = (answer: boolean) => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('data', () => done(true))
    socket.once('error', () => done(false))
    socket.once('close', () => done(false))
  })
}
