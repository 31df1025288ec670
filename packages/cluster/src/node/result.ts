/** One of the values of a key: more than one are concurrent. */
export interface ResultValue {
  readonly value: Uint8Array
  /** Milliseconds since the epoch, from the hybrid logical clock of the node that minted it. */
  readonly timestampMs: number
  /** Milliseconds since the epoch; 0: never. */
  readonly expiresAt: number
}

/**
 * - CASKADE_UNCERTAIN: the write may have happened, or may yet. Retry with the same request id, or read.
 * - CASKADE_UNAVAILABLE: too few owners answer. A write did not happen.
 * - CASKADE_CONDITION: the condition does not hold. The write did not happen.
 * - CASKADE_OVERLOADED: too many requests in flight. Nothing happened.
 * - CASKADE_DISK_FULL, CASKADE_READ_ONLY: no owner could store it. The write did not happen.
 * - CASKADE_BAD_REQUEST: unknown bucket, impossible r or w, broken context. Nothing happened.
 */
export type ResultCode =
  | 'CASKADE_UNCERTAIN'
  | 'CASKADE_UNAVAILABLE'
  | 'CASKADE_CONDITION'
  | 'CASKADE_OVERLOADED'
  | 'CASKADE_DISK_FULL'
  | 'CASKADE_READ_ONLY'
  | 'CASKADE_BAD_REQUEST'

export interface ValueResult {
  readonly status: 'ok'
  /**
   * The winner first. For a write: empty when it is now all there is; else, as its context stands for them too, all values.
   */
  readonly values: readonly ResultValue[]
  /** The sum of the history's counters. */
  readonly version: number
  /** For the next write of this key. */
  readonly context: Uint8Array
  /** Of the winner, or of what was written. */
  readonly timestampMs: number
}

export interface NotFoundResult {
  readonly status: 'notFound'
  readonly version: number
  /** Not empty where a deletion is known. */
  readonly context: Uint8Array
}

export interface ErrorResult {
  readonly status: 'error'
  readonly code: ResultCode
  readonly message: string
}

export interface ManyResult {
  readonly status: 'many'
  /** In the order of the keys: each is a result of its own. */
  readonly results: readonly KeyResult[]
}

export type KeyResult = ValueResult | NotFoundResult | ErrorResult
export type Result = KeyResult | ManyResult
