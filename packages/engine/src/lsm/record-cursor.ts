export const kindPut = 0
export const kindDelete = 1
/** Of a segment's records: a range from its key up to its value. No cursor shows one. */
export const kindDeleteRange = 2

/** One version of one key, as fields over borrowed bytes: valid until the cursor moves or its source is closed. */
export interface RecordFields {
  keyBytes: Uint8Array
  keyStart: number
  keyEnd: number
  valueBytes: Uint8Array
  valueStart: number
  valueEnd: number
  sequence: number
  /** `kindPut` or `kindDelete`; of a segment's record, `kindDeleteRange` too */
  kind: number
  /** 0: never */
  expiresAt: number
  tag: number
  /** 0: not recorded */
  writtenAt: number
}

/**
 * A position in a sorted run of records: keys ascending bytewise, and under one key sequences descending (newest first).
 * The fields are meaningful only while `valid`. No call allocates once it runs.
 */
export interface RecordCursor extends RecordFields {
  valid: boolean
  first(): void
  last(): void
  /** To the first record whose key is >= `source[start, end)`. */
  seek(source: Uint8Array, start: number, end: number): void
  next(): void
  previous(): void
}
