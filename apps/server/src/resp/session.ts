import type { Store } from '@caskade/engine'
import type { Command } from './command.js'
import type { CommandArguments } from './command-arguments.js'
import type { CommandStatistics } from './command-statistics.js'
import type { CommandTable } from './command-table.js'
import type { ConfigParameters } from './config-parameters.js'
import type { LatencyEvents } from './latency-events.js'
import type { ReplyWriter } from './reply-writer.js'
import type { RespCounters } from './resp-counters.js'
import type { RespLimits } from './resp-limits.js'
import type { ScanCursors } from './scan-cursors.js'
import type { SlowLog } from './slow-log.js'

/** What all sessions of a server share. */
export interface RespNode {
  readonly store: Store
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  /** Milliseconds from anywhere, never going back. */
  readonly monotonic: () => number
  readonly random: () => number
  readonly valueBytesMax: number
  readonly limits: RespLimits
  /** Of the only user, `default`. */
  readonly password: string | undefined
  readonly commands: CommandTable
  readonly statistics: CommandStatistics
  readonly slowLog: SlowLog
  readonly latency: LatencyEvents
  readonly cursors: ScanCursors
  readonly config: ConfigParameters
  readonly counters: RespCounters
  /** Error replies by code. */
  readonly errorCounts: Map<string, number>
  readonly sessions: Map<number, Session>
  readonly info: () => Record<string, string | number>
  readonly onEvent: (level: 'info' | 'warn' | 'error', message: string, fields: Record<string, unknown>) => void
  readonly startedAt: number
  readonly runId: string
  port: number
  host: string
  /** `clock` when the commands that run now began to be run: the time of what they write. One reading for all of a chunk. */
  now: number
  /** `monotonic` when the latest command ended: one reading of the clock per command serves two of them. */
  mark: number
  /** Received and unsent bytes of all connections, as far as they are held here. */
  heldBytes: number
  /** Cuts the connections that hold most until all of them together are within `clientsBytesMax`. */
  evict(): void
  /** The DBSIZE count that is under way, shared by all who ask. */
  counting: Promise<number> | undefined
  /** The result of the last one, and the write it was true at. */
  counted: { sequence: number; keys: number } | undefined
}

/** What a session asks of the connection that carries it. */
export interface SessionLink {
  readonly address: string
  readonly localAddress: string
  kill(): void
  /** Figures for CLIENT LIST. */
  queryBytes(): number
  unsentBytes(): number
  /** What closing it would free of `heldBytes`. */
  heldBytes(): number
}

export interface QueuedCommand {
  command: Command
  args: CommandArguments
}

/** Between MULTI and EXEC. */
export interface Transaction {
  queue: QueuedCommand[]
  bytes: number
  /** A command was refused while queueing: EXEC will be. */
  broken: boolean
}

/** One client: everything a command can see or change that is not data. */
export class Session {
  readonly id: number
  readonly node: RespNode
  readonly link: SessionLink
  readonly createdAt: number
  /** `monotonic`. */
  lastSeenAt: number
  protocol: 2 | 3 = 2
  name = ''
  libraryName = ''
  libraryVersion = ''
  authenticated: boolean
  transaction: Transaction | undefined
  /** Key (latin1) to the sequence of its record when it was watched; 0: there was none. */
  watched = new Map<string, number>()
  watchedBytes = 0
  /** EXEC is running its queue. */
  executing = false
  /** CLIENT REPLY: `skip` drops the reply of this command and becomes `on`. */
  replies: 'on' | 'off' | 'skipNext' | 'skip' = 'on'
  closeAfterReply = false
  /** Wrote something since its replies last went out. */
  wrote = false
  noEvict = false
  /** What a sliced command has gathered for its reply, in bytes. */
  gatheredBytes = 0
  /** The connection is gone: nobody waits for a reply. */
  closed = false
  lastCommand: Command | undefined

  constructor(id: number, node: RespNode, link: SessionLink) {
    this.id = id
    this.node = node
    this.link = link
    this.authenticated = node.password === undefined
    this.createdAt = node.clock()
    this.lastSeenAt = node.monotonic()
  }

  /** Forgets MULTI and WATCH. */
  endTransaction(): void {
    if (this.transaction !== undefined) {
      this.node.heldBytes -= this.transaction.bytes
      this.transaction = undefined
    }
    this.unwatch()
  }

  unwatch(): void {
    if (this.watched.size === 0) return
    this.node.heldBytes -= this.watchedBytes
    this.watchedBytes = 0
    this.watched = new Map()
  }

  /** A sliced command holds `bytes` for its reply now; may cut a connection, this one too. */
  gather(bytes: number): void {
    const { node } = this
    node.heldBytes += bytes - this.gatheredBytes
    this.gatheredBytes = bytes
    if (node.heldBytes > node.limits.clientsBytesMax) node.evict()
  }

  /** RESET: as if the client had just connected. */
  reset(out: ReplyWriter): void {
    this.endTransaction()
    this.protocol = out.protocol = 2
    this.name = ''
    this.replies = 'on'
    this.noEvict = false
    this.authenticated = this.node.password === undefined
  }
}
