import { ProtocolError, replyBytesMax } from './driver.js'

export const respSimple = 43 // +
export const respError = 45 // -
const respInteger = 58 // :
export const respBulk = 36 // $
export const respArray = 42 // *
export const respNull = 95 // _

/** Reads RESP2 and RESP3 values in place: after `next`, the fields describe the value. Arrays: `next` again for each element. */
export class RespReader {
  type = 0
  /** Payload of a string or error in the bytes given; -1 for a null. */
  start = 0
  end = 0
  /** Elements of an array (-1: null), or the value of an integer. */
  integer = 0

  /** Returns the position after the value (after the head, for an array), or -1 when `bytes[at, end)` does not hold all of it. */
  next(bytes: Buffer, at: number, end: number): number {
    if (at >= end) return -1
    const type = bytes[at]!
    this.type = type
    let position = at + 1
    if (type === respBulk || type === respArray || type === respInteger) {
      let sign = 1
      let number = 0
      for (; ; position++) {
        if (position >= end) return -1
        const byte = bytes[position]!
        if (byte === 13) break
        if (byte === 45) sign = -1
        else if (byte >= 48 && byte <= 57) number = number * 10 + byte - 48
        else throw new ProtocolError(`byte ${byte} in a RESP number`)
      }
      position += 2
      if (position > end) return -1
      this.integer = sign * number
      if (type !== respBulk) return position
      if (sign < 0) {
        this.start = -1
        return position
      }
      if (number > replyBytesMax) throw new ProtocolError(`a bulk string of ${number} bytes`)
      this.start = position
      this.end = position + number
      return this.end + 2 <= end ? this.end + 2 : -1
    }
    if (type !== respSimple && type !== respError && type !== respNull) {
      throw new ProtocolError(`a reply that begins with byte ${type}; is this a RESP port?`)
    }
    const lineEnd = bytes.indexOf(13, position)
    if (lineEnd < 0 || lineEnd + 2 > end) return -1
    this.start = type === respNull ? -1 : position
    this.end = lineEnd
    return lineEnd + 2
  }
}
