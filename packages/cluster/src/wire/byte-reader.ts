import { MalformedFrameError } from './malformed-frame-error.js'

/** Reads what ByteWriter wrote. Every length is checked against what is there before anything is made of it. */
export class ByteReader {
  #bytes: Uint8Array = new Uint8Array(0)
  #view = new DataView(this.#bytes.buffer)
  position = 0
  end = 0

  /** Reads `bytes` from here on; byte fields are given out as views of it. */
  reset(bytes: Uint8Array, start = 0, end = bytes.length): void {
    if (this.#bytes !== bytes) {
      this.#bytes = bytes
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    this.position = start
    this.end = end
  }

  get remaining(): number {
    return this.end - this.position
  }

  /** Start of `size` bytes that are there. */
  #take(size: number): number {
    const start = this.position
    if (size > this.end - start)
      throw new MalformedFrameError(start, `${size} bytes expected, ${this.end - start} left`)
    this.position = start + size
    return start
  }

  u8(): number {
    return this.#bytes[this.#take(1)]!
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true)
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  u53(): number {
    const start = this.#take(8)
    const high = this.#view.getUint32(start + 4, true)
    if (high >= 0x20_0000) throw new MalformedFrameError(start, 'a number above 2^53 - 1')
    return high * 0x1_0000_0000 + this.#view.getUint32(start, true)
  }

  bytes(size: number): Uint8Array {
    const start = this.#take(size)
    // Not subarray: of a Buffer that makes a Buffer, at twice the cost.
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + start, size)
  }

  shortBytes(): Uint8Array {
    return this.bytes(this.u16())
  }

  longBytes(): Uint8Array {
    return this.bytes(this.u32())
  }

  /** All has been read: bytes left over mean that the sender speaks otherwise. */
  expectEnd(): void {
    if (this.position !== this.end)
      throw new MalformedFrameError(this.position, `${this.end - this.position} bytes too many`)
  }
}
