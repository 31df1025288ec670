/**
 * Keeps the beginning of a reply until the rest of it arrives. Sockets read into a buffer they share, so what is incomplete is copied; a
 * chunk that ends between replies, the usual case, is parsed where it was read.
 */
export class ReceiveBuffer {
  #carry: Buffer = Buffer.alloc(0)
  #carried = 0

  /** Forgets what is kept: the connection is gone. */
  clear(): void {
    this.#carried = 0
  }

  /**
   * Hands `chunk[0, length)`, after what was kept, to `parse`, which returns where the first incomplete reply begins. @param parse
   * gets bytes that are valid only during the call.
   */
  receive(chunk: Buffer, length: number, parse: (bytes: Buffer, end: number) => number): void {
    if (this.#carried > 0) {
      this.#append(chunk, length)
      const end = this.#carried
      const from = parse(this.#carry, end)
      this.#carry.copyWithin(0, from, end)
      this.#carried = end - from
      return
    }
    const from = parse(chunk, length)
    if (from < length) this.#append(chunk.subarray(from), length - from)
  }

  #append(bytes: Buffer, length: number): void {
    const needed = this.#carried + length
    if (this.#carry.length < needed) {
      const larger = Buffer.allocUnsafeSlow(Math.max(4096, needed * 2))
      this.#carry.copy(larger, 0, 0, this.#carried)
      this.#carry = larger
    }
    bytes.copy(this.#carry, this.#carried, 0, length)
    this.#carried = needed
  }
}
