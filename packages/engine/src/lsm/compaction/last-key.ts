import { sameSlices } from '../../bytes.js'
import { copyBytes } from '../../copy-bytes.js'
import type { RecordFields } from '../record-cursor.js'

/** The key of the record last looked at, in memory of its own. */
export class LastKey {
  #key = new Uint8Array(256)
  #length = -1

  /** Whether the record's key is another; it is the last one from now on. */
  changesTo({ keyBytes, keyStart, keyEnd }: RecordFields): boolean {
    if (sameSlices(keyBytes, keyStart, keyEnd, this.#key, 0, this.#length)) return false
    this.#length = keyEnd - keyStart
    if (this.#length > this.#key.length) this.#key = new Uint8Array(2 * this.#length)
    copyBytes(keyBytes, keyStart, keyEnd, this.#key, 0)
    return true
  }
}
