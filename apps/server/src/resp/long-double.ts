/**
 * The x87 80-bit floating point that INCRBYFLOAT computes with in Redis, in big integers: 64 bits of mantissa, rounded to
 * nearest even, written as `%.17Lf` without trailing zeros. Doubles would answer 0.30000000000000004 to 0.1 + 0.2.
 */
export interface LongDouble {
  /** Signed; magnitude below 2^64. */
  mantissa: bigint
  /** The value is mantissa x 2^exponent. */
  exponent: number
}

const mantissaBits = 64
const exponentMax = 16_384
/** Longest text, as in Redis. */
const textLengthMax = 5 * 1024 - 1
const fractionDigits = 17

const bitLength = (value: bigint): number => (value === 0n ? 0 : value.toString(2).length)
const magnitude = (value: bigint): bigint => (value < 0n ? -value : value)

/** `value` / 2^shift to the nearest integer, ties to even; `sticky`: something below `value` was cut before. */
function shiftRounded(value: bigint, shift: number, sticky: boolean): bigint {
  if (shift <= 0) return value << BigInt(-shift)
  const quotient = value >> BigInt(shift)
  const rest = value - (quotient << BigInt(shift))
  const half = 1n << BigInt(shift - 1)
  const up = rest > half || (rest === half && (sticky || (quotient & 1n) === 1n))
  return up ? quotient + 1n : quotient
}

/** `undefined`: out of range. */
function rounded(value: bigint, exponent: number, sticky: boolean): LongDouble | undefined {
  if (value === 0n) return { mantissa: 0n, exponent: 0 }
  const size = magnitude(value)
  const excess = bitLength(size) - mantissaBits
  const cut = excess > 0 ? shiftRounded(size, excess, sticky) : size
  const shift = Math.max(excess, 0)
  if (bitLength(cut) + exponent + shift > exponentMax) return undefined
  return { mantissa: value < 0n ? -cut : cut, exponent: exponent + shift }
}

/** `undefined`: not a finite decimal number in range. */
export function readLongDouble(text: string): LongDouble | undefined {
  if (text.length > textLengthMax) return undefined
  const parts = /^([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?$/.exec(text)
  if (parts === null) return undefined
  const [, sign, whole = '', fraction = '', power = '0'] = parts
  const digits = (whole + fraction).replace(/^0+/, '')
  if (whole + fraction === '') return undefined
  if (digits === '') return { mantissa: 0n, exponent: 0 }
  const scale = Number(power) - fraction.length
  // Beyond these the result is infinite or zero, which strtold reports as out of range.
  if (scale + digits.length > 4934 || scale + digits.length < -4950) return undefined
  const value = BigInt(sign === '-' ? `-${digits}` : digits)
  if (scale >= 0) return rounded(value * 10n ** BigInt(scale), 0, false)
  const divisor = 10n ** BigInt(-scale)
  const shift = Math.max(0, mantissaBits + 2 + bitLength(divisor) - bitLength(magnitude(value)))
  const scaled = magnitude(value) << BigInt(shift)
  const quotient = scaled / divisor
  return rounded(value < 0n ? -quotient : quotient, -shift, quotient * divisor !== scaled)
}

/** Whether the text is what Redis reads as an infinity. */
export const isInfinity = (text: string): boolean => /^[+-]?inf(inity)?$/i.test(text)

/** `undefined`: the sum is out of range. */
export function addLongDouble(a: LongDouble, b: LongDouble): LongDouble | undefined {
  const exponent = Math.min(a.exponent, b.exponent)
  const sum = (a.mantissa << BigInt(a.exponent - exponent)) + (b.mantissa << BigInt(b.exponent - exponent))
  return rounded(sum, exponent, false)
}

export function writeLongDouble({ mantissa, exponent }: LongDouble): string {
  const size = magnitude(mantissa)
  const scaled = shiftRounded(size * 10n ** BigInt(fractionDigits), -exponent, false)
  const digits = scaled.toString().padStart(fractionDigits + 1, '0')
  const text = `${digits.slice(0, -fractionDigits)}.${digits.slice(-fractionDigits)}`.replace(/\.?0+$/, '')
  return mantissa < 0n && text !== '0' ? `-${text}` : text
}
