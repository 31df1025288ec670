import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { RawClient } from './raw-client.test.kit.js'

/** Major version of the redis-server that is installed, or 0. */
export function redisMajor(): number {
  try {
    return Number(/v=(\d+)/.exec(execFileSync('redis-server', ['--version'], { encoding: 'utf8' }))?.[1] ?? 0)
  } catch {
    return 0
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** A real Redis on a free port with our limits: one database, values of 8 MiB. */
export class RedisProcess {
  readonly port: number
  readonly #process: ChildProcess
  readonly #directory: string

  private constructor(port: number, process: ChildProcess, directory: string) {
    this.port = port
    this.#process = process
    this.#directory = directory
  }

  static async start(): Promise<RedisProcess> {
    const directory = mkdtempSync(join(tmpdir(), 'caskade-oracle-'))
    const port = await freePort()
    const options = { port, bind: '127.0.0.1', databases: 1, save: '', appendonly: 'no', dir: directory }
    const flags = Object.entries({ ...options, 'proto-max-bulk-len': 8 * 1024 * 1024 })
    const child = spawn(
      'redis-server',
      flags.flatMap(([name, value]) => [`--${name}`, String(value)]),
      { stdio: 'ignore' },
    )
    const redis = new RedisProcess(port, child, directory)
    for (let attempt = 0; attempt < 100; attempt++) {
      try {
        const client = await RawClient.connect(port)
        const pong = await client.call('PING')
        client.close()
        if (pong === '+PONG\r\n') return redis
      } catch {
        await setTimeout(50)
      }
    }
    await redis.stop()
    throw new Error('redis-server did not start')
  }

  async stop(): Promise<void> {
    const exited = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await exited
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
