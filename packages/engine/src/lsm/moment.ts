import type { Memtable } from './memtable/memtable.js'
import type { RangeTombstones } from './range/range-tombstones.js'
import type { RecordCursor, RecordFields } from './record-cursor.js'
import type { Version } from './version/version.js'
import type { WriteLog } from './write-log.js'

/** The memtables and the version of now, kept open to be read over more than one call. Whoever makes it releases it. */
export class Moment {
  readonly #memtables: readonly Memtable[]
  readonly #version: Version
  readonly #ranges: readonly RangeTombstones[]

  constructor(log: WriteLog, version: Version) {
    this.#memtables = [...log.immutables, log.active].map((memtable) => memtable.retain())
    this.#version = version.retain()
    this.#ranges = [log.ranges, version.ranges].filter(({ isEmpty }) => !isEmpty)
  }

  release(): void {
    this.#version.release()
    for (const memtable of this.#memtables) memtable.release()
  }

  /** Sorted runs that together hold it; they may hold newer records too. */
  cursors(): RecordCursor[] {
    return [...this.#memtables.flatMap((memtable) => memtable.cursors()), ...this.#version.cursors()]
  }

  /** Whether a record was in a range deleted after it, up to `sequenceMax`; `undefined` when no range was deleted. */
  deletedUpTo(sequenceMax: number): ((record: RecordFields) => boolean) | undefined {
    const all = this.#ranges
    if (all.length === 0) return undefined
    return ({ keyBytes, keyStart, keyEnd, sequence }) =>
      all.some((ranges) => ranges.newestCovering(keyBytes, keyStart, keyEnd, sequenceMax) > sequence)
  }
}
