const none = Buffer.alloc(0)

/** Lower case of each ASCII byte. */
export const lowerCase = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= 65 && byte <= 90 ? byte + 32 : byte))

/**
 * One command as offsets into the bytes it arrived in: argument `i` is `bytes[offsets[2i], offsets[2i + 1])`, the name is
 * argument 0. The object is reused for the connection's next command, so a handler that outlives its call copies what it needs.
 */
export class CommandArguments {
  bytes: Buffer = none
  offsets: Int32Array = new Int32Array(16)
  count = 0

  start(index: number): number {
    return this.offsets[2 * index]!
  }

  end(index: number): number {
    return this.offsets[2 * index + 1]!
  }

  length(index: number): number {
    return this.offsets[2 * index + 1]! - this.offsets[2 * index]!
  }

  /** A view, valid during the command. */
  view(index: number): Buffer {
    return this.bytes.subarray(this.start(index), this.end(index))
  }

  /** The bytes as latin1, so that writing them back as latin1 gives the same bytes. */
  text(index: number): string {
    return this.bytes.toString('latin1', this.start(index), this.end(index))
  }

  /** The argument as an error message echoes it: as C prints it, to the first NUL, and shortened. */
  shown(index: number, lengthMax = 1024): string {
    const start = this.start(index)
    const text = this.bytes.toString('latin1', start, Math.min(this.end(index), start + lengthMax))
    const zero = text.indexOf('\0')
    return zero < 0 ? text : text.slice(0, zero)
  }

  /** Whether the argument is this word, in any case; `word` is lower-case ASCII. */
  is(index: number, word: string): boolean {
    const start = this.start(index)
    if (this.end(index) - start !== word.length) return false
    for (let i = 0; i < word.length; i++) {
      if (lowerCase[this.bytes[start + i]!] !== word.charCodeAt(i)) return false
    }
    return true
  }

  equal(a: number, b: number): boolean {
    return this.view(a).equals(this.view(b))
  }

  add(start: number, end: number): void {
    const at = 2 * this.count++
    if (at >= this.offsets.length) this.#grow()
    this.offsets[at] = start
    this.offsets[at + 1] = end
  }

  #grow(): void {
    const larger = new Int32Array(2 * this.offsets.length)
    larger.set(this.offsets)
    this.offsets = larger
  }

  /** After the bytes moved down by `distance`. */
  shift(distance: number): void {
    for (let i = 2 * this.count - 1; i >= 0; i--) this.offsets[i]! -= distance
  }

  /** An independent copy, of exactly the bytes it needs. */
  own(): CommandArguments {
    let size = 0
    for (let i = 0; i < this.count; i++) size += this.length(i)
    const copy = new CommandArguments()
    copy.bytes = Buffer.allocUnsafeSlow(size)
    copy.offsets = new Int32Array(2 * this.count)
    let at = 0
    for (let i = 0; i < this.count; i++) {
      const length = this.bytes.copy(copy.bytes, at, this.start(i), this.end(i))
      copy.add(at, at + length)
      at += length
    }
    return copy
  }
}
