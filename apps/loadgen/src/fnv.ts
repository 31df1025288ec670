/**
 * FNV-1a over the eight octets of an integer, low octet first, made non-negative: YCSB's `Utils.hash`. YCSB names records
 * and scrambles the zipfian distribution with it, so that neighbours in popularity are not neighbours in key order.
 *
 * @param out receives the high word in [0] and the low word in [1].
 */
export function fnvHash64(value: number, out: Uint32Array): void {
  let high = 0xcbf29ce4
  let low = 0x84222325
  let octets = value >>> 0
  for (let i = 0; i < 8; i++) {
    if (i === 4) octets = Math.floor(value / 2 ** 32) >>> 0
    low = (low ^ (octets & 0xff)) >>> 0
    octets >>>= 8
    // Times the prime 2^40 + 0x1b3, modulo 2^64.
    const product = low * 0x1b3
    high = (Math.imul(high, 0x1b3) + Math.floor(product / 2 ** 32) + (low << 8)) >>> 0
    low = product >>> 0
  }
  if (high >= 0x80000000) {
    low = -low >>> 0
    high = ((low === 0 ? 1 : 0) + ~high) >>> 0
  }
  out[0] = high
  out[1] = low
}

/** The hash modulo `bound` (at most 2^36), exact although the hash has 63 bits. */
export function fnvHash64Below(value: number, bound: number, out: Uint32Array): number {
  fnvHash64(value, out)
  const low = out[1]!
  let remainder = out[0]! % bound
  remainder = (remainder * 65536 + (low >>> 16)) % bound
  return (remainder * 65536 + (low & 0xffff)) % bound
}
