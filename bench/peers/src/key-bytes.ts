export const keyBytes = 20

/** 32-bit mixer (the finalizer of MurmurHash3): a bijection, so distinct numbers stay distinct. */
function mix(number: number): number {
  let mixed = Math.imul(number ^ (number >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

const hexPairs = Uint16Array.from({ length: 256 }, (_, byte) =>
  Buffer.from(byte.toString(16).padStart(2, '0')).readUInt16LE(),
)

function writeHex(target: Buffer, at: number, number: number): void {
  for (let shift = 24; shift >= 0; shift -= 8) {
    const pair = hexPairs[(number >>> shift) & 0xff]!
    target[at++] = pair
    target[at++] = pair >>> 8
  }
}

/** Writes key number `i` (below 2^32): 16 hexadecimal digits that come in no order, and `user`. */
export function writeKey(target: Buffer, at: number, i: number): void {
  writeHex(target, at, mix(i))
  writeHex(target, at + 8, mix(i ^ 0x5bd1e995))
  target[at + 16] = 0x75
  target[at + 17] = 0x73
  target[at + 18] = 0x65
  target[at + 19] = 0x72
}
