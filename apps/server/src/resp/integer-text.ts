const int64Max = 2n ** 63n - 1n
const int64Min = -(2n ** 63n)

/**
 * The 64-bit integer written in `bytes[start, end)` in the only form Redis takes (`0`, or an optional minus and digits
 * without leading zero), exact up to 2^53 and to the nearest double beyond; NaN when it is none.
 */
export function readInteger(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start
  if (length === 0 || length > 20) return Number.NaN
  let at = start
  const negative = bytes[at] === 45
  if (negative) at++
  const first = at < end ? bytes[at]! : 0
  if (first === 48) return length === 1 ? 0 : Number.NaN
  if (first < 49 || first > 57) return Number.NaN
  let value = 0
  for (; at < end; at++) {
    const digit = bytes[at]! - 48
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
  }
  if (value <= Number.MAX_SAFE_INTEGER) return negative ? -value : value
  const exact = BigInt(Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString('latin1'))
  return exact > int64Max || exact < int64Min ? Number.NaN : Number(exact)
}

/** As `readInteger`, exact over the whole range; for text that `readInteger` took. */
export function readInteger64(bytes: Uint8Array, start: number, end: number): bigint {
  return BigInt(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1'))
}

export const fitsInteger64 = (value: bigint): boolean => value >= int64Min && value <= int64Max
