import { execFile } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { encodeCommand, type Reply, ReplyError, ReplyReader } from '../reply-reader.js'
import { caskadePath, ServerProcess } from '../server-process.js'
import type { CrashTarget, RunningTarget, Writer } from './crash-target.js'
import type { RoundPlan } from './round-plan.js'
import type { Operation } from './workload.js'

const run = promisify(execFile)

function serverArguments({ memtableBytes, durability, mmap }: RoundPlan): string[] {
  return ['--memtable-bytes', String(memtableBytes), '--durability', durability, '--mmap', mmap]
}

/** The commands of one operation. */
function commands({ kind, writes }: Operation): string[][] {
  switch (kind) {
    case 'set':
      return [['SET', writes[0]![0], writes[0]![1]!]]
    case 'del':
      return [['DEL', ...writes.map(([key]) => key)]]
    case 'increment':
      return [['INCR', writes[0]![0]]]
    case 'mset':
      return [['MSET', ...writes.flatMap(([key, value]) => [key, value!])]]
    case 'multi':
      return [
        ['MULTI'],
        ...writes.map(([key, value]) => (value === undefined ? ['DEL', key] : ['SET', key, value])),
        ['EXEC'],
      ]
  }
}

/** What is wrong with the replies to one operation; undefined when nothing is. */
function complaint({ kind, writes }: Operation, replies: Reply[]): string | undefined {
  const last = replies.at(-1)
  const right = {
    set: () => last === 'OK',
    mset: () => last === 'OK',
    del: () => typeof last === 'number',
    increment: () => last === Number(writes[0]![1]),
    multi: () =>
      Array.isArray(last) && last.length === writes.length && !last.some((each) => each instanceof ReplyError),
  }[kind]()
  return right
    ? undefined
    : `${kind} of ${writes
        .map(([key]) => key)
        .join(', ')
        .slice(0, 100)}: ${JSON.stringify(last)}`
}

/** A connection that writes as fast as it is answered, until it is cut. */
class WriterConnection {
  readonly complaints: string[] = []
  readonly #socket: Socket
  readonly #writer: Writer
  readonly #depthMax: number
  readonly #reader = new ReplyReader()
  readonly #inFlight: { operation: Operation; replies: Reply[]; wanted: number }[] = []
  readonly closed: Promise<void>

  constructor(port: number, writer: Writer, depthMax: number) {
    this.#writer = writer
    this.#depthMax = depthMax
    this.#socket = connect(port, '127.0.0.1', () => this.#refill())
    this.#socket.setNoDelay(true)
    this.#socket.on('data', (chunk) => this.#answered(chunk))
    this.closed = new Promise((resolve) => this.#socket.once('close', () => resolve()))
    this.#socket.on('error', () => {}) // the kill: close follows
  }

  #refill(): void {
    let text = ''
    while (this.#inFlight.length < this.#depthMax) {
      const operation = this.#writer.workload.next()
      const parts = commands(operation)
      this.#writer.ledger.issue(operation)
      this.#inFlight.push({ operation, replies: [], wanted: parts.length })
      text += parts.map(encodeCommand).join('')
    }
    this.#socket.write(text, 'latin1')
  }

  #answered(chunk: Buffer): void {
    for (const reply of this.#reader.push(chunk)) {
      const first = this.#inFlight[0]!
      first.replies.push(reply)
      if (first.replies.length < first.wanted) continue
      this.#inFlight.shift()
      this.#writer.ledger.acknowledge()
      const wrong = complaint(first.operation, first.replies)
      if (wrong !== undefined) {
        this.complaints.push(wrong)
        this.#socket.destroy()
        return
      }
    }
    if (this.#inFlight.length <= this.#depthMax / 2) this.#refill()
  }
}

/** One connection that asks and waits. */
class ReaderConnection {
  readonly #socket: Socket
  readonly #reader = new ReplyReader()
  readonly #waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void }[] = []

  constructor(port: number) {
    this.#socket = connect(port, '127.0.0.1')
    this.#socket.on('data', (chunk) => {
      for (const reply of this.#reader.push(chunk)) this.#waiting.shift()!.resolve(reply)
    })
    this.#socket.on('error', () => {})
    this.#socket.once('close', () => {
      for (const { reject } of this.#waiting) reject(new Error('the server closed the connection while it was read'))
    })
  }

  ask(...command: string[]): Promise<Reply> {
    this.#socket.write(encodeCommand(command), 'latin1')
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  end(): void {
    this.#socket.end()
  }
}

function asArray(reply: Reply): Reply[] {
  if (!Array.isArray(reply)) throw new Error(`expected an array, got ${JSON.stringify(reply)}`)
  return reply
}

class RunningServer implements RunningTarget {
  readonly #server: ServerProcess

  constructor(server: ServerProcess) {
    this.#server = server
  }

  async readAll(): Promise<Map<string, string>> {
    const connection = new ReaderConnection(this.#server.respPort)
    const keys = new Set<string>()
    let cursor = '0'
    do {
      const [next, page] = asArray(await connection.ask('SCAN', cursor, 'COUNT', '1000'))
      for (const key of asArray(page!)) keys.add(String(key))
      cursor = String(next)
    } while (cursor !== '0')
    const records = new Map<string, string>()
    const list = [...keys]
    for (let at = 0; at < list.length; at += 100) {
      const page = list.slice(at, at + 100)
      const values = asArray(await connection.ask('MGET', ...page))
      for (const [i, key] of page.entries())
        records.set(key, values[i] === null ? 'listed by SCAN, not there' : String(values[i]))
    }
    connection.end()
    return records
  }

  async write(writers: readonly Writer[], plan: RoundPlan): Promise<string[]> {
    const connections = writers.map((writer) => new WriterConnection(this.#server.respPort, writer, plan.depthMax))
    await Promise.all(connections.map(({ closed }) => closed))
    return connections.flatMap(({ complaints }) => complaints)
  }

  async kill(): Promise<void> {
    await this.#server.signal('SIGKILL')
  }

  async close(): Promise<void> {
    const exit = await this.#server.signal('SIGTERM')
    if (exit !== 0) throw new Error(`after SIGTERM the server ended with ${exit}:\n${this.#server.output}`)
    await run(process.execPath, [caskadePath, 'check', this.#server.directory])
  }
}

export const serverTarget: CrashTarget = {
  async killDuringStart(directory, plan, afterMs) {
    const server = await ServerProcess.spawn({ directory, args: serverArguments(plan) })
    await delay(afterMs)
    await server.signal('SIGKILL')
  },
  async start(directory, plan) {
    return new RunningServer(await ServerProcess.start({ directory, args: serverArguments(plan) }))
  },
}
