import { ByteWriter } from '../wire/byte-writer.js'
import {
  beginMessage,
  endMessage,
  type FrameHeader,
  frameBytesMax,
  frameHeaderBytes,
  messageHeaderBytes,
  sealFrame,
  writeFrameHeader,
} from '../wire/frame-format.js'
import type { NodeId } from './identity.js'

/** What waits for one peer. */
export class PeerQueue {
  readonly id: NodeId
  /** The frame in the making: may leave at the end of the turn. */
  readonly ready = new ByteWriter()
  /** Messages that speak of writes which are not durable yet. */
  readonly held = new ByteWriter()
  /** Pairs (ticket, end in `held`), ascending: up to the end, all wait for no more than the ticket. */
  readonly marks: number[] = []
  listed = false
  /** Of the last frame; 0 before the first. */
  number = 0

  constructor(id: NodeId) {
    this.id = id
  }
}

/**
 * Messages on their way out: one frame per peer and turn. A message that acknowledges a write, or tells of one, is held until the
 * store says that everything written before it is durable; all others leave at the end of the turn.
 *
 * Bounded per peer: what does not fit is dropped and counted, as a network would; the machines resend or give up.
 */
export class Outbox {
  /** Messages that were dropped because a peer's queue was full. */
  dropped = 0
  readonly #header: FrameHeader
  readonly #bytesMax: number
  /** Queues that hold anything. */
  readonly #busy: PeerQueue[] = []
  #writer = new ByteWriter(16)
  #start = 0
  #frames = 0

  /** `header.epoch` may change between turns. */
  constructor(header: FrameHeader, bytesMax: number) {
    this.#header = header
    this.#bytesMax = Math.min(bytesMax, frameBytesMax)
  }

  /** Where to write the body, of at most `bytesMax`; `undefined` if there is no room. `end()` must follow. */
  begin(queue: PeerQueue, type: number, bytesMax: number, held: boolean): ByteWriter | undefined {
    const size = queue.ready.length + queue.held.length + frameHeaderBytes + messageHeaderBytes + bytesMax
    if (size > this.#bytesMax) {
      this.dropped++
      return undefined
    }
    if (!queue.listed) {
      queue.listed = true
      this.#busy.push(queue)
    }
    const writer = held ? queue.held : queue.ready
    if (!held && writer.length === 0) this.#beginFrame(queue)
    this.#writer = writer
    this.#start = beginMessage(writer, type)
    return writer
  }

  end(): void {
    endMessage(this.#writer, this.#start)
  }

  /** Everything held so far waits for `ticket`: the newest of the store, which includes all that the messages speak of. */
  mark(ticket: number): void {
    for (let i = 0; i < this.#busy.length; i++) {
      const { held, marks } = this.#busy[i]!
      const end = held.length
      if (end > (marks[marks.length - 1] ?? 0)) marks.push(ticket, end)
    }
  }

  /** Sends what may leave. */
  flush(durableTicket: number, send: { send(peer: NodeId, frame: Uint8Array): void }): void {
    let kept = 0
    for (let i = 0; i < this.#busy.length; i++) {
      const queue = this.#busy[i]!
      this.#release(queue, durableTicket)
      const { ready } = queue
      if (ready.length > 0) {
        const frame = ready.copy()
        sealFrame(frame)
        ready.clear()
        send.send(queue.id, frame)
      }
      if (queue.held.length > 0) this.#busy[kept++] = queue
      else queue.listed = false
    }
    this.#busy.length = kept
  }

  /**
   * Numbers go on where a queue to the same node, since forgotten, may have ended: receivers take no number twice. This node has sent
   * no more frames to one node than to all.
   */
  #beginFrame(queue: PeerQueue): void {
    if (queue.number === 0) queue.number = this.#frames
    this.#frames++
    this.#header.number = ++queue.number
    writeFrameHeader(queue.ready, this.#header)
  }

  #release(queue: PeerQueue, durableTicket: number): void {
    const { ready, held, marks } = queue
    let released = 0
    let passed = 0
    while (passed < marks.length && marks[passed]! <= durableTicket) {
      released = marks[passed + 1]!
      passed += 2
    }
    if (released === 0) return
    if (ready.length === 0) this.#beginFrame(queue)
    ready.bytes(held.buffer.subarray(0, released))
    marks.splice(0, passed)
    for (let i = 1; i < marks.length; i += 2) marks[i] = marks[i]! - released
    if (released === held.length) held.clear()
    else held.discard(released)
  }
}
