/**
 * Errors an operator or a program can act on. Each has a stable `code`; the message says what was expected, what came
 * and what to do. A caller's mistake (wrong type, key too long) is a `TypeError` or `RangeError` instead.
 */
export type ErrorCode =
  | 'CASKADE_CORRUPTION'
  | 'CASKADE_LOCKED'
  | 'CASKADE_READ_ONLY'
  | 'CASKADE_DISK_FULL'
  | 'CASKADE_IO'
  | 'CASKADE_CLOSED'
  | 'CASKADE_NEWER_FORMAT'
  | 'CASKADE_UNCERTAIN'
  | 'CASKADE_ABORTED'
  | 'CASKADE_TOO_OLD'
  | 'CASKADE_WRONG_STORE'

export class CaskadeError extends Error {
  override readonly name: string = 'CaskadeError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** Bytes that do not match their checksum or format: always names the file, and the offset of the damaged unit in it. */
export class CorruptionError extends CaskadeError {
  override readonly name = 'CorruptionError'
  readonly file: string
  readonly offset: number

  constructor(file: string, offset: number, what: string, options?: { cause?: unknown }) {
    super('CASKADE_CORRUPTION', `${file} is damaged at offset ${offset}: ${what}`, options)
    this.file = file
    this.offset = offset
  }
}

/** Changes were asked for that are no longer kept. */
export class TooOldError extends CaskadeError {
  override readonly name = 'TooOldError'
  /** The oldest sequence that can be asked for. */
  readonly oldest: number

  constructor(since: number, oldest: number) {
    super(
      'CASKADE_TOO_OLD',
      `changes since ${since} are no longer kept, those since ${oldest} are: read everything anew, and keep more with changesBytes`,
    )
    this.oldest = oldest
  }
}

/** Another process (or another store in this one) owns the directory. `pid` is the holder's, or undefined if unknown. */
export class LockedError extends CaskadeError {
  override readonly name = 'LockedError'
  readonly pid: number | undefined

  constructor(directory: string, pid: number | undefined) {
    super(
      'CASKADE_LOCKED',
      `${directory} is in use by ${pid === undefined ? 'another process' : `process ${pid}`}: stop it first, or open another directory`,
    )
    this.pid = pid
  }
}

/** The directory was written by a newer version of this library. */
export class NewerFormatError extends CaskadeError {
  override readonly name = 'NewerFormatError'

  constructor(file: string, found: number, supported: number) {
    super(
      'CASKADE_NEWER_FORMAT',
      `${file} has format version ${found}, this release reads up to ${supported}: open it with the release that wrote it, or a later one`,
    )
  }
}
