import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fnvHash64, fnvHash64Below } from './fnv.js'

/** YCSB's Utils.fnvhash64, in the arithmetic it was written for. */
function reference(value: bigint): bigint {
  let hash = 0xcbf29ce484222325n
  for (let i = 0; i < 8; i++) {
    hash = BigInt.asUintN(64, (hash ^ (value & 0xffn)) * 1099511628211n)
    value >>= 8n
  }
  const signed = BigInt.asIntN(64, hash)
  return signed < 0n ? -signed : signed
}

test('agrees with 64-bit arithmetic, and so does the remainder', () => {
  const out = new Uint32Array(2)
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.integer({ min: 1, max: 2 ** 31 - 1 }), (value, bound) => {
      fnvHash64(value, out)
      const hash = reference(BigInt(value))
      expect((BigInt(out[0]!) << 32n) | BigInt(out[1]!)).toBe(hash)
      expect(fnvHash64Below(value, bound, out)).toBe(Number(hash % BigInt(bound)))
    }),
    { seed: 1, numRuns: 500 },
  )
})
