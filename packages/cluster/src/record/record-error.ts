export type RecordErrorCode =
  /** Bytes that are no record. */
  | 'CASKADE_CORRUPTION'
  /** A context that was not given out by this cluster, or was changed. */
  | 'CASKADE_BAD_CONTEXT'
  /** A context from a time too far ahead of this node's clock. */
  | 'CASKADE_CLOCK_SKEW'

export class RecordError extends Error {
  override readonly name = 'RecordError'
  readonly code: RecordErrorCode

  constructor(code: RecordErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
