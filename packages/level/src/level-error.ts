import { CaskadeError, type ErrorCode } from '@caskade/engine'

/** An error with one of abstract-level's codes. */
export class LevelError extends Error {
  override readonly name = 'LevelError'
  readonly code: string

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

const levelCodes: Partial<Record<ErrorCode, string>> = {
  CASKADE_LOCKED: 'LEVEL_LOCKED',
  CASKADE_CORRUPTION: 'LEVEL_CORRUPTION',
  CASKADE_READ_ONLY: 'LEVEL_READONLY',
  CASKADE_CLOSED: 'LEVEL_DATABASE_NOT_OPEN',
  CASKADE_ABORTED: 'LEVEL_ABORTED',
}

/** An error of the engine as one of abstract-level's, with the engine's as its cause; others as they are. */
export function toLevelError(error: unknown): unknown {
  if (!(error instanceof CaskadeError)) return error
  return new LevelError(levelCodes[error.code] ?? 'LEVEL_IO_ERROR', error.message, { cause: error })
}

/** What the engine says of the size of a key or value that it does not take, with abstract-level's code. */
export function toWriteError(error: unknown): unknown {
  if (!(error instanceof RangeError)) return toLevelError(error)
  const code = /^a (key|value) has/.exec(error.message)?.[1]
  return code === undefined
    ? error
    : new LevelError(`LEVEL_INVALID_${code.toUpperCase()}`, error.message, { cause: error })
}
