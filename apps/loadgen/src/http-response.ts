import { ProtocolError, replyBytesMax } from './driver.js'

const headBytesMax = 64 * 1024

/** Reads HTTP/1.1 responses in place: after `next`, `status` and `body[bodyStart, bodyEnd)`. */
export class HttpResponseReader {
  status = 0
  body: Buffer = Buffer.alloc(0)
  bodyStart = 0
  bodyEnd = 0

  /** Returns the position after the response, or -1 when `bytes[at, end)` does not hold all of it. */
  next(bytes: Buffer, at: number, end: number): number {
    const headEnd = bytes.indexOf('\r\n\r\n', at, 'latin1')
    if (headEnd < 0 || headEnd + 4 > end) {
      if (end - at > headBytesMax) throw new ProtocolError('a response head of more than 64 KiB; is this an HTTP port?')
      if (end - at >= 5 && bytes.toString('latin1', at, at + 5) !== 'HTTP/') {
        throw new ProtocolError('a response that does not begin with HTTP/; is this an HTTP port?')
      }
      return -1
    }
    const head = bytes.toString('latin1', at, headEnd + 2)
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(head)
    if (status === null) throw new ProtocolError(`response head ${JSON.stringify(head.slice(0, 40))}`)
    this.status = Number(status[1])
    this.body = bytes
    this.bodyStart = headEnd + 4
    this.bodyEnd = this.bodyStart
    if (this.status === 204 || this.status === 304) return this.bodyStart
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)
    if (length !== null) {
      if (Number(length[1]) > replyBytesMax) throw new ProtocolError(`a response of ${length[1]} bytes`)
      this.bodyEnd = this.bodyStart + Number(length[1])
      return this.bodyEnd <= end ? this.bodyEnd : -1
    }
    if (/\r\ntransfer-encoding: *chunked/i.test(head)) return this.#chunks(bytes, this.bodyStart, end)
    throw new ProtocolError('a response without content-length or chunked encoding')
  }

  #chunks(bytes: Buffer, start: number, end: number): number {
    const parts: Buffer[] = []
    let position = start
    for (;;) {
      const lineEnd = bytes.indexOf('\r\n', position, 'latin1')
      if (lineEnd < 0 || lineEnd + 2 > end) return -1
      const size = Number.parseInt(bytes.toString('latin1', position, lineEnd), 16)
      if (!(size >= 0 && size <= replyBytesMax)) throw new ProtocolError('a malformed chunk size')
      position = lineEnd + 2 + size + 2
      if (position > end) return -1
      if (size === 0) break
      parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    }
    this.body = Buffer.concat(parts)
    this.bodyStart = 0
    this.bodyEnd = this.body.length
    return position
  }
}
