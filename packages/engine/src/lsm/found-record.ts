import { kindPut, type RecordFields } from './record-cursor.js'

const noBytes = new Uint8Array(0)

/** The fields themselves: what a lookup fills (one is reused for every call), and what cursors are made of. */
export class FoundRecord implements RecordFields {
  keyBytes: Uint8Array = noBytes
  keyStart = 0
  keyEnd = 0
  valueBytes: Uint8Array = noBytes
  valueStart = 0
  valueEnd = 0
  sequence = 0
  kind = kindPut
  expiresAt = 0
  tag = 0
  writtenAt = 0
}
