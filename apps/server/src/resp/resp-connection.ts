import type { Socket } from 'node:net'
import type { Reply } from './command.js'
import { CommandBatch } from './command-batch.js'
import { dispatch } from './command-run.js'
import { ReceiveBuffer } from './receive-buffer.js'
import type { ReplyWriter } from './reply-writer.js'
import { RespParser } from './resp-parser.js'
import { type RespNode, Session, type SessionLink } from './session.js'
import { receiveBytes, receiveInto } from './socket-receive.js'
import { sendNow } from './socket-send.js'
import { type Replier, TurnReplies } from './turn-replies.js'

/** Replies are handed to the socket when they reach this, not only at the end of what was received. */
const flushBytes = 64 * 1024
/** After so many commands of one connection the others get their turn. */
const turnCommands = 1024
/** All connections read into it, each in its turn. */
const shared = Buffer.allocUnsafeSlow(receiveBytes)
const batch = new CommandBatch()
const turn = new TurnReplies()

const formatAddress = (host: string | undefined, port: number | undefined) =>
  host?.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

/**
 * A client's socket: received bytes to commands, commands to replies, one write per turn of the event loop.
 *
 * Commands run as they are parsed, until one must wait: for a sliced command, for durability, for the store's backpressure, for
 * the client to read its replies, or for its turn. Then reading stops, the rest of the chunk is kept, and it goes on from there:
 * replies are in order because nothing of this connection runs meanwhile.
 */
export class RespConnection implements SessionLink, Replier {
  readonly address: string
  readonly localAddress: string
  readonly session: Session
  readonly #node: RespNode
  readonly #socket: Socket
  readonly #out: ReplyWriter
  readonly #parser: RespParser
  readonly #received = new ReceiveBuffer()
  #receivedCounted = 0
  #waiting = false
  /** Nothing more will be run. */
  #ended = false
  #closing = false
  /** `monotonic` when the unfinished frame began; 0: none. */
  #frameSince = 0
  #unsentCounted = 0
  /** Bytes of replies that wait until what they acknowledge is durable. */
  #repliesHeld = 0
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
    receiveInto(socket, shared, (bytes, length) => this.#receive(bytes, length))
    // Before the socket's own listener, which ends it.
    socket.prependListener('end', () => turn.flush())
    socket.on('drain', () => this.#drained())
    socket.on('timeout', () => this.#tooSlow())
    // A reset by the peer is its way to close.
    socket.on('error', () => {})
    socket.on('close', () => this.#closed())
  }

  queryBytes(): number {
    return this.#received.end - this.#parser.frameStart
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
    this.#recountUnsent()
    return (
      this.#repliesHeld +
      this.session.gatheredBytes +
      this.#receivedCounted +
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
    // A short queue empties without a 'drain'.
    if (this.#unsentCounted !== 0) this.#recountUnsent()
    if (this.#waiting || this.#ended) return
    const silence = now - this.session.lastSeenAt
    if (this.#frameSince !== 0) {
      const age = now - this.#frameSince
      const slow = age > limits.frameTimeoutMs && this.#received.end < (age / 1000) * limits.frameBytesPerSecondMin
      if (silence > limits.frameTimeoutMs || slow) {
        counters.unfinishedFramesCut++
        this.kill()
      }
    } else if (limits.idleTimeoutMs > 0 && silence > limits.idleTimeoutMs) {
      counters.idleClosed++
      this.kill()
    }
  }

  #receive(bytes: Buffer, length: number): void {
    const { counters } = this.#node
    counters.reads++
    counters.bytesReceived += length
    if (this.#ended) return
    const now = this.#node.monotonic()
    this.#node.mark = now
    this.session.lastSeenAt = now
    this.#received.add(bytes, length, this.#parser)
    if (this.#received.capacity !== 0 && !this.#withinLimits(length)) return
    // While it waits, nothing should arrive; what does is kept. A full read was cut by its buffer: more is waiting, and would
    // be read before any other connection's.
    if (!this.#waiting) this.#process(length >= receiveBytes)
    // The buffer is the next connection's now.
    if (this.#received.end > 0 && this.#received.capacity === 0) this.#settle()
  }

  /** Whether the connection lives on with what it has received. */
  #withinLimits(latest: number): boolean {
    const { limits, counters } = this.#node
    this.#countReceived()
    if (this.#node.heldBytes > limits.clientsBytesMax) this.#node.evict()
    if (this.#ended) return false
    if (this.#received.end - latest <= limits.queryBytesMax) return true
    counters.protocolErrors++
    this.#out.protocol = this.session.protocol
    this.#out.error(`ERR Protocol error: a command is larger than ${limits.queryBytesMax} bytes`)
    this.#end()
    return false
  }

  #process(crowding: boolean): void {
    try {
      this.#run(crowding)
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

  #run(crowding: boolean): void {
    const { session } = this
    const { bytes, end } = this.#received
    const parser = this.#parser
    const out = this.#out
    out.protocol = session.protocol
    this.#node.now = this.#node.clock()
    let ran = 0
    for (;;) {
      parser.stranger = !session.authenticated
      const parsed = batch.fill(parser, bytes, end)
      batch.prefetch(this.#node.store)
      for (let i = 0; i < batch.count; i++) {
        const pending = dispatch(session, batch.args[i]!, out)
        if (pending !== undefined) {
          parser.rewind(batch.ends[i]!)
          this.#wait(this.#finishSliced(pending))
          return
        }
        if (session.closeAfterReply || this.#ended) {
          this.#end()
          return
        }
        ran++
        if (out.length >= flushBytes) {
          const wait = this.#emit()
          if (wait !== undefined) {
            parser.rewind(batch.ends[i]!)
            this.#wait(wait)
          }
          if (wait !== undefined || this.#ended) return
        }
        if (ran >= turnCommands && batch.ends[i]! < end) {
          parser.rewind(batch.ends[i]!)
          this.#wait(this.#emit() ?? nextTurn())
          return
        }
      }
      if (parsed === 'more') break
      if (parsed === 'broken') {
        this.#node.counters.protocolErrors++
        out.error(`ERR ${parser.error}`)
        this.#end()
        return
      }
    }
    this.#settle()
    const wait = this.#emit() ?? (crowding && ran > 0 ? nextTurn() : undefined)
    if (wait !== undefined) this.#wait(wait)
  }

  /** The replies so far go out, then the sliced command's. */
  async #finishSliced(pending: Promise<Reply>): Promise<void> {
    const earlier = this.#emit()
    // It may fail long before it is awaited.
    earlier?.catch(() => {})
    const reply = await pending
    await earlier
    if (this.#ended) return
    this.#out.protocol = this.session.protocol
    this.#node.mark = this.#node.monotonic()
    reply(this.#out)
    await this.#emit()
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
    if (this.#received.end > 0) {
      this.#node.mark = this.#node.monotonic()
      this.#process(false)
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
    pressure?.catch(() => {})
    const { counters } = this.#node
    this.#holdReplies(replies.length)
    await durable
    if (this.#ended || this.#socket.destroyed) return
    this.#holdReplies(0)
    if (replies.length > 0) {
      counters.writes++
      counters.bytesSent += replies.length
      turn.flush()
      this.#socket.write(replies)
      this.#countUnsent()
    }
    await pressure
    if (this.#socket.writableLength > this.#node.limits.outputBytesSoft) await this.#untilDrained()
  }

  #holdReplies(bytes: number): void {
    this.#node.heldBytes += bytes - this.#repliesHeld
    this.#repliesHeld = bytes
  }

  #write(): void {
    const out = this.#out
    if (out.length === 0) return
    const { counters } = this.#node
    counters.writes++
    counters.bytesSent += out.length
    if (this.#socket.writableLength === 0) {
      if (turn.add(this, out.bytes, out.length)) {
        out.clear()
        return
      }
      turn.flush()
    }
    const sent = this.#sendNow(out.bytes, 0, out.length)
    if (sent === out.length) {
      out.clear()
      return
    }
    this.#socket.write(out.bytes.subarray(sent, out.length))
    // Still needed until the kernel takes them.
    out.release()
    this.#countUnsent()
  }

  send(bytes: Buffer, start: number, end: number): void {
    if (this.#socket.destroyed) return
    const sent = start + this.#sendNow(bytes, start, end)
    if (sent === end) return
    this.#socket.write(Buffer.from(bytes.subarray(sent, end)))
    this.#countUnsent()
  }

  /** How many of the bytes went out; none while others wait on the socket. */
  #sendNow(bytes: Buffer, start: number, end: number): number {
    if (this.#socket.writableLength !== 0) return 0
    if (this.#unsentCounted !== 0) this.#countUnsent()
    return sendNow(this.#socket, bytes, start, end)
  }

  #recountUnsent(): void {
    const unsent = this.#socket.destroyed ? 0 : this.#socket.writableLength
    this.#node.heldBytes += unsent - this.#unsentCounted
    this.#unsentCounted = unsent
  }

  #countUnsent(): void {
    this.#recountUnsent()
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

  #settle(): void {
    const moved = this.#received.settle(this.#parser)
    if (this.#received.end === 0) this.#frameSince = 0
    else if (moved || this.#frameSince === 0) this.#frameSince = this.#node.mark
    if (this.#received.capacity !== this.#receivedCounted) this.#countReceived()
  }

  #countReceived(): void {
    this.#node.heldBytes += this.#received.capacity - this.#receivedCounted
    this.#receivedCounted = this.#received.capacity
  }

  #forgetReceived(): void {
    this.#received.drop()
    this.#countReceived()
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
      turn.flush()
      this.#forgetReceived()
      if (this.#socket.destroyed) return
      this.#socket.setTimeout(this.#node.limits.slowReaderMs)
      this.#socket.destroySoon()
    }
    if (wait === undefined) {
      close()
      return
    }
    this.session.closeAfterReply = true
    this.#forgetReceived()
    this.#wait(wait)
  }

  #release(): void {
    const { session } = this
    session.closed = true
    this.#holdReplies(0)
    this.#node.heldBytes -= session.gatheredBytes
    session.gatheredBytes = 0
    this.#forgetReceived()
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
