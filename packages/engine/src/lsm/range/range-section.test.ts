import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeRanges, encodeRanges } from './range-section.js'
import { noRanges } from './range-tombstones.js'

const key = fc.uint8Array({ minLength: 1, maxLength: 5 })
const deletions = fc.array(fc.tuple(key, fc.option(key, { nil: undefined })), { maxLength: 8 })
const built = (list: readonly (readonly [Uint8Array, Uint8Array | undefined])[]) =>
  list.reduce(
    (ranges, [lower, upper], i) =>
      upper !== undefined && Buffer.compare(lower, upper) >= 0 ? ranges : ranges.with(lower, upper, i + 1, [2, 4, 6]),
    noRanges,
  )

test('what was encoded is decoded', () => {
  fc.assert(
    fc.property(deletions, (list) => {
      const ranges = built(list)
      expect(decodeRanges(encodeRanges(ranges))).toEqual(ranges)
    }),
  )
})

test('bytes cut off, and any others, are refused or are ranges in order', () => {
  const bytes = encodeRanges(
    built([
      [Uint8Array.of(1), Uint8Array.of(5)],
      [Uint8Array.of(3), undefined],
    ]),
  )
  const whole = [0, bytes.length]
  for (let length = 0; length <= bytes.length; length++) {
    const decoded = decodeRanges(bytes.subarray(0, length))
    if (decoded === undefined) expect(whole).not.toContain(length)
    else expect(encodeRanges(decoded)).toEqual(bytes.subarray(0, length))
  }
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(255), (at, byte) => {
      const changed = new Uint8Array(bytes)
      changed[at] = byte
      const decoded = decodeRanges(changed)
      if (decoded !== undefined) expect(encodeRanges(decoded)).toEqual(changed)
    }),
  )
})
