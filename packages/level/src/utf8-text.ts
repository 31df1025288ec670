/** Strings longer than this get bytes of their own, so that one large value does not stay in memory for good. */
const unitsMax = 64 << 10

/** Node's decoder of a slice of any bytes, without a view object in between: undocumented, and in every release there is. */
const { utf8Slice } = Buffer.prototype as unknown as {
  utf8Slice(this: Uint8Array, start: number, end: number): string
}

export function textOf(bytes: Uint8Array, start: number, end: number): string {
  return utf8Slice.call(bytes, start, end)
}

/** Encodes a key, or a key and a value behind it, into memory that is used again by the next call. */
export class Utf8Scratch {
  #bytes = Buffer.allocUnsafeSlow(4096)
  bytes: Uint8Array = this.#bytes

  /** Makes room for strings of so many UTF-16 units; `false` if that is too much to keep around. */
  reserve(units: number): boolean {
    if (units > unitsMax) return false
    if (3 * units > this.#bytes.length) {
      this.#bytes = Buffer.allocUnsafeSlow(6 * units)
      this.bytes = this.#bytes
    }
    return true
  }

  /** Returns the offset behind it. */
  write(text: string, start: number): number {
    return start + this.#bytes.write(text, start)
  }
}
