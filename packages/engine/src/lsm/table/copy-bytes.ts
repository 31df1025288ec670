/** Below it a loop is faster than the native copy, which takes a view of the source. */
const nativeBytesMin = 64

/** Copies `source[start, end)` to `target[at]`; returns the offset behind it. */
export function copyBytes(source: Uint8Array, start: number, end: number, target: Uint8Array, at: number): number {
  if (end - start < nativeBytesMin) {
    while (start < end) target[at++] = source[start++]!
    return at
  }
  target.set(source.subarray(start, end), at)
  return at + end - start
}

/** Owned bytes. (`slice` of a Buffer is a view.) */
export function ownedSlice(source: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(source.subarray(start, end))
}
