/** A reply of the Redis protocol, version 2. Strings are latin1: one character a byte. */
export type Reply = string | number | null | Reply[] | ReplyError

export class ReplyError {
  readonly message: string

  constructor(message: string) {
    this.message = message
  }
}

export function encodeCommand(parts: readonly string[]): string {
  return `*${parts.length}\r\n${parts.map((part) => `$${part.length}\r\n${part}\r\n`).join('')}`
}

/** Takes a connection's bytes in pieces of any size and gives whole replies. Written apart from the server's parser, to test it. */
export class ReplyReader {
  #buffer: Buffer = Buffer.alloc(0)
  #at = 0
  // Where the last incomplete reply could go on at the earliest: spares parsing a long one again with every piece.
  #wanted = 0

  push(chunk: Buffer): Reply[] {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk])
    const replies: Reply[] = []
    let start = 0
    while (this.#buffer.length >= this.#wanted) {
      this.#at = start
      const reply = this.#reply()
      if (reply === undefined) break
      replies.push(reply)
      start = this.#at
      this.#wanted = 0
    }
    this.#buffer = this.#buffer.subarray(start)
    this.#wanted = Math.max(0, this.#wanted - start)
    return replies
  }

  #line(): string | undefined {
    const end = this.#buffer.indexOf('\r\n', this.#at, 'latin1')
    if (end === -1) return undefined
    const line = this.#buffer.toString('latin1', this.#at, end)
    this.#at = end + 2
    return line
  }

  #reply(): Reply | undefined {
    const line = this.#line()
    if (line === undefined) return undefined
    const text = line.slice(1)
    switch (line[0]) {
      case '+':
        return text
      case '-':
        return new ReplyError(text)
      case ':':
        return Number(text)
      case '$':
        return this.#bulk(Number(text))
      case '*':
        return this.#array(Number(text))
      default:
        throw new Error(`not a RESP2 reply: ${JSON.stringify(line.slice(0, 80))}`)
    }
  }

  #bulk(length: number): string | null | undefined {
    if (length === -1) return null
    const end = this.#at + length
    if (this.#buffer.length < end + 2) {
      this.#wanted = end + 2
      return undefined
    }
    const text = this.#buffer.toString('latin1', this.#at, end)
    this.#at = end + 2
    return text
  }

  #array(length: number): Reply[] | null | undefined {
    if (length === -1) return null
    const items: Reply[] = []
    for (let i = 0; i < length; i++) {
      const item = this.#reply()
      if (item === undefined) return undefined
      items.push(item)
    }
    return items
  }
}
