import type { RespParser } from './resp-parser.js'

const none = Buffer.alloc(0)

/**
 * What a connection has received and not done with: `bytes[0, end)`. Usually a chunk just as it came, parsed in place; only
 * an unfinished frame at its end, or a chunk behind one, is copied, to memory of its own. It doubles, so a frame costs
 * linear time however it arrives, and grows with what arrives, not with what a header announces.
 */
export class ReceiveBuffer {
  bytes: Buffer = none
  end = 0
  /** Size of the memory of its own; 0: `bytes` is a received chunk. */
  capacity = 0

  /** Puts a chunk behind what is left. */
  add(chunk: Buffer, length: number, parser: RespParser): void {
    if (this.end > 0) this.settle(parser)
    if (this.end === 0) {
      this.bytes = chunk
      this.end = length
      return
    }
    const needed = this.end + length
    if (needed > this.capacity) {
      const known = parser.frameBytesKnown
      this.#own(0, known > needed ? Math.min(2 * needed, known) : 2 * needed)
    }
    chunk.copy(this.bytes, this.end, 0, length)
    this.end = needed
  }

  /** Drops what is parsed and keeps the rest at the beginning. Whether anything was dropped. */
  settle(parser: RespParser): boolean {
    const start = parser.frameStart
    const length = this.end - start
    if (length === 0) this.drop()
    else if (this.capacity === 0) this.#own(start, length)
    else if (start > 0) this.bytes.copyWithin(0, start, this.end)
    this.end = length
    parser.moved()
    return start > 0
  }

  drop(): void {
    this.bytes = none
    this.end = 0
    this.capacity = 0
  }

  #own(start: number, capacity: number): void {
    const own = Buffer.allocUnsafeSlow(capacity)
    this.bytes.copy(own, 0, start, this.end)
    this.bytes = own
    this.capacity = capacity
  }
}
