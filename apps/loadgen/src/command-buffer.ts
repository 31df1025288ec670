/**
 * Where requests are encoded before they are sent in one write. It grows to the largest batch and is then reused; a connection
 * bounds it by its pipeline.
 */
export class CommandBuffer {
  bytes: Buffer
  length = 0

  constructor(bytes = 16 * 1024) {
    this.bytes = Buffer.allocUnsafeSlow(bytes)
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const needed = this.length + count
    if (needed <= this.bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2))
    this.bytes.copy(larger, 0, 0, this.length)
    this.bytes = larger
  }

  /** Byte by byte: for the few dozen bytes of a command head that is faster than a native copy. Needs room. */
  append(part: Uint8Array): void {
    const bytes = this.bytes
    let at = this.length
    for (let i = 0; i < part.length; i++) bytes[at++] = part[i]!
    this.length = at
  }

  appendText(text: string): void {
    this.reserve(text.length)
    this.length += this.bytes.write(text, this.length, 'latin1')
  }

  /** What has been encoded; the buffer starts anew, in fresh memory if the bytes are still in use by a write. */
  release(): void {
    this.bytes = Buffer.allocUnsafeSlow(this.bytes.length)
    this.length = 0
  }
}
