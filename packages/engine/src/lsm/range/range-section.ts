import { compareBytes, viewOf } from '../../bytes.js'
import { noRanges, type RangeFragment, RangeTombstones } from './range-tombstones.js'

/**
 * Range tombstones as the end of a table's properties: for each fragment lower length u32 | upper length u32 (2^32 - 1: no upper
 * bound) | number of sequences u32 | lower | upper | sequences, 8 bytes each. Little-endian. None: no bytes.
 */
const headBytes = 12
const unbounded = 0xffff_ffff

export function encodeRanges({ fragments }: RangeTombstones): Uint8Array {
  const length = fragments.reduce(
    (sum, { lower, upper, sequences }) => sum + headBytes + lower.length + (upper?.length ?? 0) + 8 * sequences.length,
    0,
  )
  const bytes = new Uint8Array(length)
  const view = viewOf(bytes)
  let at = 0
  for (const { lower, upper, sequences } of fragments) {
    view.setUint32(at, lower.length, true)
    view.setUint32(at + 4, upper?.length ?? unbounded, true)
    view.setUint32(at + 8, sequences.length, true)
    bytes.set(lower, at + headBytes)
    at += headBytes + lower.length
    if (upper !== undefined) bytes.set(upper, at)
    at += upper?.length ?? 0
    for (const sequence of sequences) {
      view.setBigUint64(at, BigInt(sequence), true)
      at += 8
    }
  }
  return bytes
}

/** `undefined`: no bytes that `encodeRanges` makes. */
export function decodeRanges(bytes: Uint8Array): RangeTombstones | undefined {
  if (bytes.length === 0) return noRanges
  const view = viewOf(bytes)
  const fragments: RangeFragment[] = []
  for (let at = 0; at < bytes.length; ) {
    if (at + headBytes > bytes.length) return undefined
    const upperLength = view.getUint32(at + 4, true)
    const count = view.getUint32(at + 8, true)
    const lowerStart = at + headBytes
    const lowerEnd = lowerStart + view.getUint32(at, true)
    const upperEnd = lowerEnd + (upperLength === unbounded ? 0 : upperLength)
    at = upperEnd + 8 * count
    if (at > bytes.length || count === 0) return undefined
    const lower = new Uint8Array(bytes.subarray(lowerStart, lowerEnd))
    const upper = upperLength === unbounded ? undefined : new Uint8Array(bytes.subarray(lowerEnd, upperEnd))
    const sequences = Array.from({ length: count }, (_, i) => Number(view.getBigUint64(upperEnd + 8 * i, true)))
    const fragment = { lower, upper, sequences }
    if (!follows(fragments.at(-1), fragment)) return undefined
    fragments.push(fragment)
  }
  return new RangeTombstones(fragments)
}

/** In order, without overlap, and not empty. */
function follows(last: RangeFragment | undefined, { lower, upper, sequences }: RangeFragment): boolean {
  if (upper !== undefined && compareBytes(lower, upper) >= 0) return false
  if (sequences.some((sequence, i) => sequence >= (sequences[i - 1] ?? 2 ** 48))) return false
  return last === undefined || (last.upper !== undefined && compareBytes(last.upper, lower) <= 0)
}
