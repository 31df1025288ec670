import { viewOf } from '../../bytes.js'
import type { RecordFields } from '../record-cursor.js'

/** Room behind the value for copies of four bytes that overshoot. */
const slackBytes = 8

/**
 * Decompresses the values of one table. `bytes` holds the table's dictionary and behind it, from `start` on, the latest value, so
 * that a match into the dictionary is a copy like any other. Reads and writes nothing outside the ranges it was given.
 */
export class ValueDecoder {
  bytes: Uint8Array
  view: DataView
  /** Where every value begins: behind the dictionary. */
  readonly start: number

  constructor(dictionary: Uint8Array) {
    this.start = dictionary.length
    this.bytes = Buffer.allocUnsafeSlow(dictionary.length + 1024)
    this.bytes.set(dictionary)
    this.view = viewOf(this.bytes)
  }

  /**
   * Puts the value of `record`, which has it compressed, in its place: `size` bytes, lent until the next value is decoded.
   * `view` is that of the bytes it lies in. False: it is malformed.
   */
  lend(record: RecordFields, view: DataView, size: number): boolean {
    if (!this.decode(record.valueBytes, view, record.valueStart, record.valueEnd, size)) return false
    record.valueBytes = this.bytes
    record.valueStart = this.start
    record.valueEnd = this.start + size
    return true
  }

  /** `source[at, end)` to `bytes[start, start + size)`. False: it is malformed, or does not give exactly `size` bytes. */
  decode(source: Uint8Array, sourceView: DataView, at: number, end: number, size: number): boolean {
    const { start } = this
    const limit = start + size
    if (limit + slackBytes > this.bytes.length) this.#grow(limit + slackBytes)
    const target = this.bytes
    const view = this.view
    const sourceLength = source.length
    let to = start
    while (at < end) {
      const token = source[at++]!
      let literals = token >>> 4
      if (literals === 15) {
        for (let byte = 255; byte === 255; literals += byte) {
          if (at >= end) return false
          byte = source[at++]!
        }
      }
      if (literals > end - at || literals > limit - to) return false
      const literalsEnd = to + literals
      const next = at + literals
      // Four bytes at a time overshoot by at most three, which the next copy overwrites or the slack takes.
      if (next + 3 < sourceLength) {
        for (; to < literalsEnd; to += 4, at += 4) view.setInt32(to, sourceView.getInt32(at, true), true)
      } else {
        while (to < literalsEnd) target[to++] = source[at++]!
      }
      at = next
      to = literalsEnd
      if (at === end) break
      if (at + 2 > end) return false
      const distance = source[at]! | (source[at + 1]! << 8)
      at += 2
      let matched = (token & 15) + 4
      if (matched === 19) {
        for (let byte = 255; byte === 255; matched += byte) {
          if (at >= end) return false
          byte = source[at++]!
        }
      }
      if (distance === 0 || distance > to || matched > limit - to) return false
      let from = to - distance
      const matchEnd = to + matched
      if (distance >= 4) {
        for (; to < matchEnd; to += 4, from += 4) view.setInt32(to, view.getInt32(from, true), true)
        to = matchEnd
      } else {
        while (to < matchEnd) target[to++] = target[from++]!
      }
    }
    return to === limit
  }

  #grow(length: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.bytes.length))
    larger.set(this.bytes.subarray(0, this.start))
    this.bytes = larger
    this.view = viewOf(larger)
  }
}
