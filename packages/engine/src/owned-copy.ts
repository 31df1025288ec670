import { copySlice } from './copy-slice.js'

/** Bytes of the caller's own. `allocUnsafe` (from Node's pool) and a copy is the cheapest way to make some. */
export function ownedCopy(source: Uint8Array, start: number, end: number): Uint8Array {
  const copy = Buffer.allocUnsafe(end - start)
  copySlice(source, start, end, copy, 0)
  return copy
}
