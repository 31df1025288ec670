import { randomBytes } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { keyBytesMax, type Store, valueBytesMax as storeValueBytesMax } from '@caskade/engine'
import { CommandStatistics } from './command-statistics.js'
import { CommandTable } from './command-table.js'
import { ConfigParameters } from './config-parameters.js'
import { LatencyEvents } from './latency-events.js'
import { ReplyWriter } from './reply-writer.js'
import { RespConnection } from './resp-connection.js'
import { RespCounters } from './resp-counters.js'
import { defaultLimits, type RespLimits } from './resp-limits.js'
import { ScanCursors } from './scan-cursors.js'
import type { RespNode } from './session.js'
import { SlowLog } from './slow-log.js'

const sweepMs = 1000
const defaultDrainMs = 5000
const outputBytesSoftMin = 128 * 1024

export interface RespServerOptions {
  store: Store
  /** Milliseconds since the epoch; default `Date.now`. Must be the store's. */
  clock?: () => number
  /** Of the user `default`; absent: none is asked for. */
  password?: string
  /** Longest value, and longest argument of any command, in bytes; default 8 MiB, 64 KiB to 256 MiB. */
  valueBytesMax?: number
  limits?: Partial<RespLimits>
  onEvent?: (level: 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>) => void
  /** Fields that the node adds to INFO, in a section of its own. */
  info?: () => Record<string, string | number>
  /** In [0, 1); default `Math.random`. */
  random?: () => number
}

/** Totals of one command since the start or CONFIG RESETSTAT. */
export interface CommandFigures {
  /** `get`, `client|list`. */
  name: string
  calls: number
  microseconds: number
  /** Answered with an error. */
  failed: number
  /** Refused before they ran. */
  rejected: number
}

/** A Redis-protocol server over a store: all its connections on this event loop. */
export class RespServer {
  readonly #node: RespNode
  readonly #server: Server
  readonly #out: ReplyWriter
  readonly #connections = new Map<number, RespConnection>()
  #nextId = 1
  #sweeper: NodeJS.Timeout | undefined

  constructor(options: RespServerOptions) {
    const { store, password } = options
    const valueBytesMax = options.valueBytesMax ?? 8 * 1024 * 1024
    if (!(valueBytesMax > keyBytesMax && valueBytesMax <= storeValueBytesMax))
      throw new RangeError(`valueBytesMax is ${keyBytesMax + 1} to ${storeValueBytesMax}, not ${valueBytesMax}`)
    const limits: RespLimits = { ...defaultLimits, ...options.limits }
    limits.queryBytesMax = Math.max(limits.queryBytesMax, 2 * valueBytesMax)
    limits.outputBytesMax = Math.max(limits.outputBytesMax, 2 * valueBytesMax)
    // Below the socket's own mark there would be no 'drain' to wait for.
    limits.outputBytesSoft = Math.max(limits.outputBytesSoft, outputBytesSoftMin)
    const random = options.random ?? Math.random
    const clock = options.clock ?? Date.now
    const commands = new CommandTable()
    const slowLog = new SlowLog()
    const latency = new LatencyEvents()
    const address = () => this.#node
    this.#node = {
      store,
      clock,
      monotonic: () => performance.now(),
      random,
      valueBytesMax,
      limits,
      password: password === '' ? undefined : password,
      commands,
      statistics: new CommandStatistics(commands.numbered.length),
      slowLog,
      latency,
      cursors: new ScanCursors(limits.cursorBytesMax, random),
      config: new ConfigParameters(limits, slowLog, latency, valueBytesMax, address, store.directory),
      counters: new RespCounters(),
      errorCounts: new Map(),
      sessions: new Map(),
      info: options.info ?? (() => ({})),
      onEvent: options.onEvent ?? (() => {}),
      startedAt: clock(),
      runId: randomBytes(20).toString('hex'),
      port: 0,
      host: '',
      now: clock(),
      mark: performance.now(),
      heldBytes: 0,
      evict: () => this.#evict(),
      counting: undefined,
      counted: undefined,
    }
    this.#out = new ReplyWriter(limits.outputBytesMax)
    this.#server = createServer({ noDelay: true, allowHalfOpen: false }, (socket) => this.#connected(socket))
    this.#server.on('error', (error) => {
      this.#node.onEvent('warn', 'the RESP port has a problem', { reason: error.message })
    })
  }

  /** Totals for metrics: plain numbers, read whenever. */
  get counters(): Readonly<RespCounters> {
    return this.#node.counters
  }

  get connections(): number {
    return this.#connections.size
  }

  /** Bytes held for clients: unfinished commands, queued transactions, unsent replies. */
  get heldBytes(): number {
    return this.#node.heldBytes
  }

  /** Of every command that was called. */
  *commandFigures(): Generator<CommandFigures> {
    const { commands, statistics } = this.#node
    for (const { number, fullName } of commands.numbered) {
      const calls = statistics.calls[number]!
      const rejected = statistics.rejected[number]!
      if (calls + rejected === 0) continue
      yield {
        name: fullName,
        calls,
        microseconds: statistics.microseconds[number]!,
        failed: statistics.failed[number]!,
        rejected,
      }
    }
  }

  /** Resolves when the port accepts; port 0 takes a free one. Rejects as `net.Server` does (`EADDRINUSE`, …). */
  async listen(port: number, host: string): Promise<{ port: number; host: string }> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ port, host, backlog: 511 }, () => {
        this.#server.off('error', reject)
        resolve()
      })
    })
    const address = this.#server.address()
    this.#node.port = typeof address === 'object' && address !== null ? address.port : port
    this.#node.host = host
    this.#sweeper = setInterval(() => this.#sweep(), sweepMs)
    this.#sweeper.unref()
    return { port: this.#node.port, host }
  }

  /**
   * Accepts no more, runs what was received, sends the replies, closes. Connections that do not read theirs within
   * `drainMs` are cut. A second call with 0 cuts them at once.
   */
  async close(drainMs: number = defaultDrainMs): Promise<void> {
    clearInterval(this.#sweeper)
    if (!this.#server.listening) {
      if (drainMs === 0) for (const connection of [...this.#connections.values()]) connection.kill()
      return
    }
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
    })
    // What the kernel has already received is read in the next turns of the loop.
    await setImmediate()
    await setImmediate()
    for (const connection of [...this.#connections.values()]) connection.shutDown()
    const enough = new AbortController()
    const late = setTimeout(drainMs, undefined, { signal: enough.signal }).then(
      () => {
        for (const connection of [...this.#connections.values()]) connection.kill()
      },
      () => {},
    )
    await closed
    enough.abort()
    await late
  }

  #connected(socket: Socket): void {
    const { limits, counters, sessions } = this.#node
    counters.connectionsAccepted++
    if (sessions.size >= limits.clientsMax) {
      counters.connectionsRejected++
      socket.on('error', () => {})
      socket.end('-ERR max number of clients reached\r\n')
      socket.destroySoon()
      return
    }
    // It may be gone already.
    if (socket.remoteAddress === undefined) {
      socket.on('error', () => {})
      socket.destroy()
      return
    }
    if (limits.keepAliveMs > 0) socket.setKeepAlive(true, limits.keepAliveMs)
    const id = this.#nextId++
    const connection = new RespConnection(id, this.#node, socket, this.#out)
    sessions.set(id, connection.session)
    this.#connections.set(id, connection)
    socket.once('close', () => this.#connections.delete(id))
  }

  #evict(): void {
    const { limits, counters, sessions, onEvent } = this.#node
    const holding = [...sessions.values()].map((session) => ({ session, bytes: session.link.heldBytes() }))
    holding.sort((a, b) => Number(a.session.noEvict) - Number(b.session.noEvict) || b.bytes - a.bytes)
    for (const { session, bytes } of holding) {
      if (this.#node.heldBytes <= limits.clientsBytesMax) break
      counters.clientsEvicted++
      onEvent('warn', 'client cut: all clients together hold too much', { client: session.id, heldBytes: bytes })
      session.link.kill()
    }
  }

  #sweep(): void {
    const now = this.#node.monotonic()
    for (const connection of this.#connections.values()) connection.sweep(now)
  }
}
