import { sameSlices } from '../../bytes.js'
import { copyBytes } from '../../copy-bytes.js'
import type { RecordFields } from '../record-cursor.js'

/** Tells, over records in order, which are older versions of a key already seen. */
export class NewestOnly {
  #key = new Uint8Array(256)
  #length = -1

  isOlder({ keyBytes, keyStart, keyEnd }: RecordFields): boolean {
    const length = keyEnd - keyStart
    if (sameSlices(keyBytes, keyStart, keyEnd, this.#key, 0, this.#length)) return true
    this.#length = length
    if (length > this.#key.length) this.#key = new Uint8Array(2 * length)
    copyBytes(keyBytes, keyStart, keyEnd, this.#key, 0)
    return false
  }
}
