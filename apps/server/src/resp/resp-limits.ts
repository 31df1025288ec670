/** What one client, and all of them together, may hold of this process. */
export interface RespLimits {
  /** Connections; one more is told so and closed. Default 10,000. */
  clientsMax: number
  /** Arguments of one command; default 1,048,576. */
  argumentsMax: number
  /** Received bytes of one command that is not complete yet; default 64 MiB, and at least two values. */
  queryBytesMax: number
  /** Commands queued in one MULTI, and keys of one WATCH, in bytes; default 64 MiB each. */
  transactionBytesMax: number
  /** Unsent replies of one connection at which its commands wait for it to read; default 1 MiB, at least 128 KiB. */
  outputBytesSoft: number
  /** Bytes of replies one connection may have unsent; a reply that is larger is an error. Default 256 MiB. */
  outputBytesMax: number
  /** How long a connection may leave `outputBytesSoft` unread, in milliseconds, without taking a byte; default 60,000. */
  slowReaderMs: number
  /** Unfinished commands, queued transactions and unsent replies of all connections; default 512 MiB. Who passes it is cut. */
  clientsBytesMax: number
  /** Silence inside an unfinished command after which the connection is cut, in milliseconds; default 30,000. */
  frameTimeoutMs: number
  /** An unfinished command older than `frameTimeoutMs` must have come in at this rate at least, bytes per second; default 256. */
  frameBytesPerSecondMin: number
  /** Silence between commands after which the connection is closed, in milliseconds; default 0: never, as in Redis. */
  idleTimeoutMs: number
  /** TCP keepalive in milliseconds; default 300,000. */
  keepAliveMs: number
  /** SCAN positions remembered, in bytes; default 4 MiB. */
  cursorBytesMax: number
}

export const defaultLimits: RespLimits = {
  clientsMax: 10_000,
  argumentsMax: 1024 * 1024,
  queryBytesMax: 64 * 1024 * 1024,
  transactionBytesMax: 64 * 1024 * 1024,
  outputBytesSoft: 1024 * 1024,
  outputBytesMax: 256 * 1024 * 1024,
  slowReaderMs: 60_000,
  clientsBytesMax: 512 * 1024 * 1024,
  frameTimeoutMs: 30_000,
  frameBytesPerSecondMin: 256,
  idleTimeoutMs: 0,
  keepAliveMs: 300_000,
  cursorBytesMax: 4 * 1024 * 1024,
}
