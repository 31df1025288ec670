/**
 * Level has the empty key, the engine starts at one byte. So a key of nothing but zero bytes, the empty one included, is
 * stored with one zero more; every other key as it is. The order of keys stays: those of zeros come before all others,
 * shortest first, with and without the extra zero. Bounds of ranges are mapped alike.
 */
export function storedKey(key: Uint8Array): Uint8Array {
  if (!isZeros(key, key.length)) return key
  return new Uint8Array(key.length + 1)
}

/** The inverse. A view of its argument. */
export function levelKey(stored: Uint8Array): Uint8Array {
  return isZeros(stored, stored.length) ? stored.subarray(1) : stored
}

/** Whether `bytes[0, end)` has no byte but zero. */
export function isZeros(bytes: Uint8Array, end: number): boolean {
  for (let i = 0; i < end; i++) if (bytes[i] !== 0) return false
  return true
}
