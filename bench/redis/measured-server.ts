import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** Jiffies per second of /proc, 100 on every Linux that Node runs on. */
const ticksPerSecond = 100

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}

function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
    socket.once('data', (bytes) => {
      resolve(bytes.toString().startsWith('+PONG'))
      socket.destroy()
    })
  })
}

/** A server in a process of its own, with what it used of the machine. */
export class MeasuredServer {
  readonly port: number
  readonly #child: ChildProcess
  readonly #closed: Promise<unknown>
  #output = ''

  private constructor(port: number, command: string, args: readonly string[]) {
    this.port = port
    this.#child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      stream.on('data', (chunk) => {
        this.#output = (this.#output + chunk).slice(-4000)
      })
    this.#closed = new Promise((resolve, reject) => this.#child.once('close', resolve).once('error', reject))
    this.#closed.catch(() => {})
  }

  /** Starts a command that listens on the port and resolves when it answers PING. */
  static async start(port: number, command: string, args: readonly string[]): Promise<MeasuredServer> {
    const server = new MeasuredServer(port, command, args)
    const ended = server.#closed.then(() => {
      throw new Error(`${command} ended before it answered:\n${server.#output}`)
    })
    ended.catch(() => {})
    while (!(await Promise.race([answersPing(port), ended]))) await delay(20)
    return server
  }

  /** CPU time of all its threads, user and system, in microseconds. */
  cpuUs(): number {
    const fields = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return ((Number(fields[11]) + Number(fields[12])) * 1e6) / ticksPerSecond
  }

  rssBytes(): number {
    const match = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${this.#child.pid}/status`, 'utf8'))
    return Number(match?.[1]) * 1024
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM')
    await this.#closed
  }
}
