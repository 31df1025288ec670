// The global is a getter: 20 ns.
import { Buffer } from 'node:buffer'

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

/** Bytes to hand out: from Node's pool, the cheapest way to make some. */
export function ownedCopy(source: Uint8Array, start: number, end: number): Uint8Array {
  const copy = Buffer.allocUnsafe(end - start)
  copyBytes(source, start, end, copy, 0)
  return copy
}

/** Bytes to keep for long: memory of their own, which pins no pool. (`slice` of a Buffer would be a view.) */
export function keptCopy(source: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(source.subarray(start, end))
}
