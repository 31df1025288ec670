import type { Socket } from 'node:net'
import type { Reply } from './command.js'
import { dispatch } from './command-run.js'
import type { ReplyWriter } from './reply-writer.js'
import { RespParser } from './resp-parser.js'
import { type RespNode, Session, type SessionLink } from './session.js'

/** Replies are handed to the socket when they reach this, not only at the end of what was received. */
const flushBytes = 64 * 1024
/** After so many commands of one connection the others get their turn. */
const turnCommands = 1024
/** A read of this size was cut by the buffer it was read into: more is waiting, and would be read before any other connection's. */
const fullReadBytes = 64 * 1024

const formatAddress = (host: string | undefined, port: number | undefined) =>
  host?.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

/**
 * A client's socket: received bytes to commands, commands to replies, one write per received chunk.
 *
 * Commands run as they are parsed, until one must wait: for a sliced command, for durability, for the store's backpressure, for
 * the client to read its replies, or for its turn. Then reading stops, the rest of the chunk is kept, and it goes on from there:
 * replies are in order because nothing of this connection runs meanwhile.
 */
export class RespConnection implements SessionLink {
  readonly address: string
  readonly localAddress: string
  readonly session: Session
  readonly #node: RespNode
  readonly #socket: Socket
  readonly #out: ReplyWriter
  readonly #parser: RespParser
  /** An unfinished frame, and what was received behind it. */
  #tail: Buffer | undefined
  #tailLength = 0
  /** Received while waiting: parsed up to the parser's position. */
  #rest: Buffer | undefined
  #restEnd = 0
  #waiting = false
  /** Nothing more will be run. */
  #ended = false
  #closing = false
  /** `monotonic` when the unfinished frame began; 0: none. */
  #frameSince = 0
  #unsentCounted = 0
  #onDrain: (() => void) | undefined

  constructor(id: number, node: RespNode, socket: Socket, out: ReplyWriter) {
    this.#node = node
    this.#socket = socket
    this.#out = out
    this.#parser = new RespParser({
      argumentsMax: node.limits.argumentsMax,
      bulkBytesMax: node.valueBytesMax,
    })
    this.address = formatAddress(socket.remoteAddress, socket.remotePort)
    this.localAddress = formatAddress(socket.localAddress, socket.localPort)
    this.session = new Session(id, node, this)
    socket.on('data', (chunk: Buffer) => this.#received(chunk))
    socket.on('drain', () => this.#drained())
    socket.on('timeout', () => this.#tooSlow())
    // A reset by the peer is its way to close.
    socket.on('error', () => {})
    socket.on('close', () => this.#closed())
  }

  queryBytes(): number {
    return (
      this.#tailLength +
      (this.#rest === undefined || this.#rest === this.#tail ? 0 : this.#restEnd - this.#parser.position)
    )
  }

  unsentBytes(): number {
    return this.#socket.writableLength
  }

  kill(): void {
    this.#ended = true
    this.#release()
    this.#socket.destroy()
  }

  heldBytes(): number {
    return (
      this.session.gatheredBytes +
      (this.#tail?.length ?? 0) +
      this.#unsentCounted +
      (this.session.transaction?.bytes ?? 0) +
      this.session.watchedBytes
    )
  }

  /** Runs what was received, sends the replies, closes. */
  shutDown(): void {
    this.#closing = true
    if (!this.#waiting) this.#end()
  }

  /** Once a second: cuts who keeps a command unfinished, closes who has been idle too long. */
  sweep(now: number): void {
    const { limits, counters } = this.#node
    if (this.#waiting || this.#ended) return
    const silence = now - this.session.lastSeenAt
    if (this.#frameSince !== 0) {
      const age = now - this.#frameSince
      const slow = age > limits.frameTimeoutMs && this.#tailLength < (age / 1000) * limits.frameBytesPerSecondMin
      if (silence > limits.frameTimeoutMs || slow) {
        counters.unfinishedFramesCut++
        this.kill()
      }
    } else if (limits.idleTimeoutMs > 0 && silence > limits.idleTimeoutMs) {
      counters.idleClosed++
      this.kill()
    }
  }

  #received(chunk: Buffer): void {
    const { counters } = this.#node
    counters.reads++
    counters.bytesReceived += chunk.length
    if (this.#ended) return
    const now = this.#node.monotonic()
    this.#node.mark = now
    this.session.lastSeenAt = now
    if (this.#waiting) {
      this.#keepRest()
      if (this.#append(chunk)) {
        this.#rest = this.#tail
        this.#restEnd = this.#tailLength
      }
    } else if (this.#tailLength > 0) {
      if (this.#append(chunk)) this.#process(this.#tail!, this.#tailLength, chunk.length >= fullReadBytes)
    } else {
      this.#process(chunk, chunk.length, chunk.length >= fullReadBytes)
    }
  }

  #process(bytes: Buffer, end: number, crowding: boolean): void {
    try {
      this.#run(bytes, end, crowding)
    } catch (error) {
      // A mistake in this server must cost one connection, not all of them.
      const stack = error instanceof Error ? error.stack : String(error)
      this.#node.onEvent('error', 'connection closed: a command failed in an unexpected way', {
        client: this.address,
        stack,
      })
      this.#out.release()
      this.kill()
    }
  }

  #run(bytes: Buffer, end: number, crowding: boolean): void {
    const { session } = this
    const parser = this.#parser
    const out = this.#out
    out.protocol = session.protocol
    let ran = 0
    for (;;) {
      parser.stranger = !session.authenticated
      const parsed = parser.next(bytes, end)
      if (parsed === 'more') break
      if (parsed === 'broken') {
        this.#node.counters.protocolErrors++
        out.error(`ERR ${parser.error}`)
        this.#end()
        return
      }
      const pending = dispatch(session, parser.args, out)
      if (pending !== undefined) {
        this.#waitWithRest(bytes, end, this.#finishSliced(pending))
        return
      }
      if (session.closeAfterReply || this.#ended) {
        this.#end()
        return
      }
      ran++
      if (out.length >= flushBytes) {
        const wait = this.#emit()
        if (wait !== undefined) this.#waitWithRest(bytes, end, wait)
        if (wait !== undefined || this.#ended) return
      }
      if (ran >= turnCommands && parser.position < end) {
        this.#waitWithRest(bytes, end, this.#emit() ?? nextTurn())
        return
      }
    }
    this.#keepTail(bytes, end)
    const wait = this.#emit() ?? (crowding && ran > 0 ? nextTurn() : undefined)
    if (wait !== undefined) this.#wait(wait)
  }

  /** The replies so far go out, then the sliced command's. */
  async #finishSliced(pending: Promise<Reply>): Promise<void> {
    const earlier = this.#emit()
    const reply = await pending
    await earlier
    if (this.#ended) return
    this.#out.protocol = this.session.protocol
    this.#node.mark = this.#node.monotonic()
    reply(this.#out)
    await this.#emit()
  }

  #waitWithRest(bytes: Buffer, end: number, until: Promise<void>): void {
    this.#rest = bytes
    this.#restEnd = end
    this.#wait(until)
  }

  #wait(until: Promise<void>): void {
    this.#waiting = true
    this.#socket.pause()
    until.then(
      () => this.#goOn(),
      (error: unknown) => {
        // The outcome of its writes is not known, so no reply would be true.
        const reason = error instanceof Error ? error.message : String(error)
        this.#node.onEvent('error', 'connection closed: its writes may not be durable', {
          client: this.address,
          reason,
        })
        this.kill()
      },
    )
  }

  #goOn(): void {
    this.#waiting = false
    if (this.#ended) return
    if (this.session.closeAfterReply) {
      this.#end()
      return
    }
    const rest = this.#rest
    if (rest !== undefined) {
      this.#rest = undefined
      this.#node.mark = this.#node.monotonic()
      this.#process(rest, this.#restEnd, false)
    }
    if (this.#waiting || this.#ended) return
    if (this.#closing) this.#end()
    else this.#socket.resume()
  }

  /**
   * Hands the replies to the socket, after what they acknowledge is durable. A promise: the connection must wait for it
   * before it runs more commands.
   */
  #emit(): Promise<void> | undefined {
    const { session } = this
    const { store, limits } = this.#node
    if (session.wrote) {
      session.wrote = false
      const durable = store.durable()
      const pressure = store.backpressure()
      if (durable !== undefined) return this.#emitWhen(durable, pressure)
      this.#write()
      if (pressure !== undefined) return pressure
    } else {
      this.#write()
    }
    return this.#socket.writableLength > limits.outputBytesSoft ? this.#untilDrained() : undefined
  }

  async #emitWhen(durable: Promise<void>, pressure: Promise<void> | undefined): Promise<void> {
    const out = this.#out
    const replies = Buffer.from(out.bytes.subarray(0, out.length))
    out.clear()
    const { counters } = this.#node
    await durable
    if (this.#ended || this.#socket.destroyed) return
    if (replies.length > 0) {
      counters.writes++
      counters.bytesSent += replies.length
      this.#socket.write(replies)
      this.#countUnsent()
    }
    await pressure
    if (this.#socket.writableLength > this.#node.limits.outputBytesSoft) await this.#untilDrained()
  }

  #write(): void {
    const out = this.#out
    if (out.length === 0) return
    const { counters } = this.#node
    counters.writes++
    counters.bytesSent += out.length
    this.#socket.write(out.bytes.subarray(0, out.length))
    // An empty queue means that the kernel has copied the bytes: libuv tries to write at once. Else they are still needed.
    if (this.#socket.writableLength === 0) {
      out.clear()
      if (this.#unsentCounted !== 0) this.#countUnsent()
    } else {
      out.release()
      this.#countUnsent()
    }
  }

  #countUnsent(): void {
    const unsent = this.#socket.writableLength
    this.#node.heldBytes += unsent - this.#unsentCounted
    this.#unsentCounted = unsent
    if (this.#node.heldBytes > this.#node.limits.clientsBytesMax) this.#node.evict()
  }

  #untilDrained(): Promise<void> {
    const { limits } = this.#node
    if (this.#socket.destroyed) return Promise.resolve()
    // Fires when nothing was written for so long, also when a write made no progress.
    this.#socket.setTimeout(limits.slowReaderMs)
    return new Promise((resolve) => {
      this.#onDrain = resolve
    })
  }

  #drained(): void {
    this.#countUnsent()
    if (!this.#ended) this.#socket.setTimeout(0)
    this.#onDrain?.()
    this.#onDrain = undefined
  }

  #tooSlow(): void {
    this.#node.counters.slowReadersCut++
    this.kill()
  }

  /** What is left of the received bytes: nothing, or an unfinished frame, which moves to a buffer of this connection. */
  #keepTail(bytes: Buffer, end: number): void {
    const parser = this.#parser
    const start = parser.frameStart
    const length = end - start
    if (length === 0) {
      this.#frameSince = 0
      if (this.#tail !== undefined) this.#dropTail()
    } else {
      if (start > 0 || this.#frameSince === 0) this.#frameSince = this.#node.mark
      if (bytes !== this.#tail) {
        this.#tail = Buffer.allocUnsafeSlow(length)
        this.#node.heldBytes += length
        bytes.copy(this.#tail, 0, start, end)
      } else if (start > 0) {
        bytes.copyWithin(0, start, end)
      }
      this.#tailLength = length
    }
    parser.moved()
  }

  /** While waiting: what is not parsed yet moves to the buffer of this connection. */
  #keepRest(): void {
    const rest = this.#rest
    if (rest === undefined || rest === this.#tail) return
    const parser = this.#parser
    parser.frameStart = parser.position
    const length = this.#restEnd - parser.position
    this.#tail = Buffer.allocUnsafeSlow(Math.max(1, length))
    this.#node.heldBytes += this.#tail.length
    rest.copy(this.#tail, 0, parser.position, this.#restEnd)
    this.#tailLength = length
    parser.moved()
    this.#rest = this.#tail
    this.#restEnd = length
  }

  #dropTail(): void {
    if (this.#tail !== undefined) this.#node.heldBytes -= this.#tail.length
    this.#tail = undefined
    this.#tailLength = 0
  }

  /** Behind the unfinished frame; whether the connection lives on. Capacity doubles, up to what the frame is known to need. */
  #append(chunk: Buffer): boolean {
    const { limits } = this.#node
    const old = this.#tail
    const needed = this.#tailLength + chunk.length
    if (old === undefined || needed > old.length) {
      const known = this.#parser.frameBytesKnown
      const capacity = known > needed ? Math.min(2 * needed, known) : 2 * needed
      const larger = Buffer.allocUnsafeSlow(capacity)
      if (old !== undefined) old.copy(larger, 0, 0, this.#tailLength)
      this.#node.heldBytes += capacity - (old?.length ?? 0)
      this.#tail = larger
    }
    chunk.copy(this.#tail!, this.#tailLength)
    this.#tailLength = needed
    if (this.#node.heldBytes > limits.clientsBytesMax) this.#node.evict()
    if (this.#ended) return false
    if (needed - chunk.length <= limits.queryBytesMax) return true
    this.#node.counters.protocolErrors++
    this.#out.protocol = this.session.protocol
    this.#out.error(`ERR Protocol error: a command is larger than ${limits.queryBytesMax} bytes`)
    this.#end()
    return false
  }

  /** Sends what there is and closes, without waiting for the client to do so. */
  #end(): void {
    if (this.#ended) {
      this.#out.clear()
      return
    }
    const wait = this.#emit()
    const close = () => {
      this.#ended = true
      this.#dropTail()
      this.#rest = undefined
      if (this.#socket.destroyed) return
      this.#socket.setTimeout(this.#node.limits.slowReaderMs)
      this.#socket.destroySoon()
    }
    if (wait === undefined) {
      close()
      return
    }
    this.session.closeAfterReply = true
    this.#rest = undefined
    this.#wait(wait)
  }

  #release(): void {
    const { session } = this
    session.closed = true
    this.#node.heldBytes -= session.gatheredBytes
    session.gatheredBytes = 0
    this.#dropTail()
    this.#rest = undefined
    this.#node.heldBytes -= this.#unsentCounted
    this.#unsentCounted = 0
    session.endTransaction()
  }

  #closed(): void {
    this.#ended = true
    this.#release()
    this.#node.sessions.delete(this.session.id)
    this.#onDrain?.()
    this.#onDrain = undefined
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
