import type { CommandBuffer } from './command-buffer.js'

/** `absent`: a well-formed "there is no such record". */
export type ReplyStatus = 'ok' | 'absent' | 'error'

/** The reply that was parsed last; reused for every reply of a connection. */
export class Reply {
  status: ReplyStatus = 'ok'
  /** With `error`: its kind, few and stable, such as `-OOM` or `http 503`. */
  errorKind = ''
  errorMessage = ''
  /** Values found: `bytes[starts[i], ends[i])`; an absent one has start -1. Filled only when the driver was told to keep values. */
  count = 0
  bytes: Buffer = Buffer.alloc(0)
  starts: number[] = []
  ends: number[] = []
  /** Keys that the server named, where it does. */
  keys: (string | undefined)[] = []

  begin(): void {
    this.status = 'ok'
    this.count = 0
  }

  fail(kind: string, message: string): void {
    this.status = 'error'
    this.errorKind = kind
    this.errorMessage = message
  }

  add(bytes: Buffer, start: number, end: number, key: string | undefined): void {
    this.bytes = bytes
    this.starts[this.count] = start
    this.ends[this.count] = end
    this.keys[this.count] = key
    this.count++
  }
}

/** One protocol on one connection: bytes out, replies in. Holds no socket. */
export interface Driver {
  readonly reply: Reply
  /** Encodes what a new connection says first (authentication); returns how many replies that brings. */
  greet(out: CommandBuffer): number
  /** Encodes a read of `count` records. */
  read(out: CommandBuffer, records: Float64Array, count: number): void
  write(out: CommandBuffer, record: number, sequence: number): void
  scan(out: CommandBuffer, record: number, length: number): void
  /**
   * Parses the reply to an operation of `kind` that asked for `count` records (0: it was a write) from `bytes[at, end)` into
   * `reply`. Returns where it ends, or -1 when it is not all there yet. Throws ProtocolError when the bytes cannot be a reply.
   */
  parse(bytes: Buffer, at: number, end: number, kind: number, count: number): number
}

/** The peer does not speak the protocol; the connection is of no more use. */
export class ProtocolError extends Error {}

/** Largest single reply that is taken: a peer that announces more is not the one we look for. */
export const replyBytesMax = 256 * 1024 * 1024
