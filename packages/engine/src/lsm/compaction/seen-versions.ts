import { type RangeTombstones, tellsApart } from '../range/range-tombstones.js'
import type { RecordFields } from '../record-cursor.js'
import { LastKey } from './last-key.js'

/**
 * Which records, in order, some read still sees: reads are at the newest moment and at the held ones. A record is hidden when between it and a
 * newer version of its key, or a deletion of a range around it, lies no held moment.
 */
export class SeenVersions {
  readonly #ranges: RangeTombstones
  readonly #held: readonly number[]
  readonly #key = new LastKey()
  /** Of the version of the key last looked at. */
  #sequence = 0

  constructor(ranges: RangeTombstones, held: readonly number[]) {
    this.#ranges = ranges
    this.#held = held
  }

  isHidden(record: RecordFields): boolean {
    const { keyBytes, keyStart, keyEnd, sequence } = record
    const newer = this.#sequence
    this.#sequence = sequence
    if (!this.#key.changesTo(record) && !tellsApart(this.#held, sequence, newer)) return true
    return !this.#ranges.isEmpty && this.#ranges.hides(keyBytes, keyStart, keyEnd, sequence, this.#held)
  }
}
