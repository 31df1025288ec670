/** Bytewise order of two slices: negative, zero or positive. Plain loop: faster than `Buffer.compare` below some 30 bytes. */
export function compareSlices(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const length = Math.min(aEnd - aStart, bEnd - bStart)
  for (let i = 0; i < length; i++) {
    const difference = a[aStart + i]! - b[bStart + i]!
    if (difference !== 0) return difference
  }
  return aEnd - aStart - (bEnd - bStart)
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return compareSlices(a, 0, a.length, b, 0, b.length)
}

/** The least key greater than every key that starts with `prefix`; `undefined` when there is none (all 0xff). */
export function prefixSuccessor(prefix: Uint8Array): Uint8Array | undefined {
  let length = prefix.length
  while (length > 0 && prefix[length - 1] === 0xff) length--
  if (length === 0) return undefined
  // Not prefix.slice(): of a Buffer that is a view, and the caller's prefix would change.
  const successor = new Uint8Array(prefix.subarray(0, length))
  successor[length - 1]!++
  return successor
}

/** Equality of two slices: cheaper than their order, since most unequal ones differ in length or at once. */
export function sameSlices(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): boolean {
  if (aEnd - aStart !== bEnd - bStart) return false
  for (let i = aStart, j = bStart; i < aEnd; i++, j++) if (a[i] !== b[j]) return false
  return true
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
