/**
 * Bytes appended to one buffer that grows by doubling and is used again. Numbers are little-endian. The caller bounds what it
 * appends: a frame asks `outbox` first, which refuses beyond `frameBytesMax`.
 */
export class ByteWriter {
  buffer: Buffer
  #view: DataView
  /** Bytes written so far. */
  length = 0

  constructor(capacity = 1024) {
    this.buffer = Buffer.allocUnsafeSlow(capacity)
    this.#view = new DataView(this.buffer.buffer)
  }

  /** Room for `bytes` more. */
  reserve(bytes: number): void {
    const needed = this.length + bytes
    if (needed <= this.buffer.length) return
    let capacity = this.buffer.length * 2
    while (capacity < needed) capacity *= 2
    const grown = Buffer.allocUnsafeSlow(capacity)
    this.buffer.copy(grown, 0, 0, this.length)
    this.buffer = grown
    this.#view = new DataView(grown.buffer)
  }

  u8(value: number): void {
    this.reserve(1)
    this.buffer[this.length++] = value
  }

  u16(value: number): void {
    this.reserve(2)
    this.#view.setUint16(this.length, value, true)
    this.length += 2
  }

  u32(value: number): void {
    this.reserve(4)
    this.#view.setUint32(this.length, value, true)
    this.length += 4
  }

  /** A whole number up to 2^53 - 1, in 8 bytes. */
  u53(value: number): void {
    this.reserve(8)
    this.#view.setUint32(this.length, value >>> 0, true)
    this.#view.setUint32(this.length + 4, Math.floor(value / 0x1_0000_0000), true)
    this.length += 8
  }

  bytes(source: Uint8Array): void {
    const size = source.length
    this.reserve(size)
    // A call into the runtime costs more than a short loop.
    if (size < 48) {
      const { buffer, length } = this
      for (let i = 0; i < size; i++) buffer[length + i] = source[i]!
    } else this.buffer.set(source, this.length)
    this.length += size
  }

  /** Bytes behind their length in 2 bytes. */
  shortBytes(source: Uint8Array): void {
    this.u16(source.length)
    this.bytes(source)
  }

  /** Bytes behind their length in 4 bytes. */
  longBytes(source: Uint8Array): void {
    this.u32(source.length)
    this.bytes(source)
  }

  /** Fills in a u32 that was left open. */
  setU32(at: number, value: number): void {
    this.#view.setUint32(at, value, true)
  }

  /** A copy that is the receiver's to keep. */
  copy(start = 0, end = this.length): Uint8Array {
    return Buffer.from(this.buffer.subarray(start, end))
  }

  /** Drops the first `count` bytes. */
  discard(count: number): void {
    this.buffer.copyWithin(0, count, this.length)
    this.length -= count
  }

  /** Empty again. A buffer that one large frame has stretched is given back. */
  clear(keepBytesMax = 1 << 20): void {
    this.length = 0
    if (this.buffer.length <= keepBytesMax) return
    this.buffer = Buffer.allocUnsafeSlow(1024)
    this.#view = new DataView(this.buffer.buffer)
  }
}
