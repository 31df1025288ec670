/**
 * CRC-32 (IEEE 802.3, as zlib) over a slice, for records of some hundred bytes.
 *
 * Slicing-by-16 (Kounavis and Berry, 2005) reading words through a DataView: 38 ns for 40 bytes and 96 ns for 140, against
 * 114 and 147 ns for the `crc-32` package and 163 and 207 ns for `zlib.crc32`, which both need a view allocated per call.
 * Above a few KiB `zlib.crc32` wins: blocks use it. See docs/decisions/0001-own-crc.md.
 */
const tables = makeTables()

function makeTables(): Int32Array {
  const made = new Int32Array(16 * 256)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1
    made[byte] = crc
  }
  for (let i = 256; i < made.length; i++) made[i] = (made[i - 256]! >>> 8) ^ made[made[i - 256]! & 255]!
  return made
}

/** `seed` is the CRC of what comes before (0 for nothing); the result is unsigned. */
export function crc32(bytes: Uint8Array, view: DataView, start: number, end: number, seed: number): number {
  const t = tables
  let crc = ~seed
  let i = start
  for (const last = end - 15; i < last; i += 16) {
    crc ^= view.getInt32(i, true)
    const b = view.getInt32(i + 4, true)
    const c = view.getInt32(i + 8, true)
    const d = view.getInt32(i + 12, true)
    crc =
      t[3840 + (crc & 255)]! ^
      t[3584 + ((crc >>> 8) & 255)]! ^
      t[3328 + ((crc >>> 16) & 255)]! ^
      t[3072 + (crc >>> 24)]! ^
      t[2816 + (b & 255)]! ^
      t[2560 + ((b >>> 8) & 255)]! ^
      t[2304 + ((b >>> 16) & 255)]! ^
      t[2048 + (b >>> 24)]! ^
      t[1792 + (c & 255)]! ^
      t[1536 + ((c >>> 8) & 255)]! ^
      t[1280 + ((c >>> 16) & 255)]! ^
      t[1024 + (c >>> 24)]! ^
      t[768 + (d & 255)]! ^
      t[512 + ((d >>> 8) & 255)]! ^
      t[256 + ((d >>> 16) & 255)]! ^
      t[d >>> 24]!
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ t[(crc ^ bytes[i]!) & 255]!
  return ~crc >>> 0
}
