import type { KeyInterval } from '../scan-range.js'
import type { KeyRange } from '../store.js'
import type { Memtable } from './memtable/memtable.js'
import { RangeTombstones } from './range/range-tombstones.js'
import type { RecordCursor, RecordFields } from './record-cursor.js'
import type { DamageGuard } from './table/table-cursor.js'
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
  cursors(guard: DamageGuard): RecordCursor[] {
    return [...this.#memtables.flatMap((memtable) => memtable.cursors()), ...this.#version.cursors(guard)]
  }

  /**
   * A scan of `interval` goes on without a damaged block of which it would show nothing, since ranges deleted later cover all keys that both have; others
   * are told to `onDamage`, if there is one.
   */
  guard(interval: KeyInterval, sequenceMax: number, onDamage: ((range: KeyRange) => void) | undefined): DamageGuard {
    return (block) => {
      const { lower, upper } = block.span
      const bounds = new RangeTombstones([{ lower, upper, sequences: [0] }]).within(interval.lower, interval.upper)
      const span = bounds.fragments[0]
      if (span === undefined) return true
      const held = [sequenceMax]
      if (RangeTombstones.merged(this.#ranges, held).coversBlock({ ...block, span }, held)) return true
      if (onDamage === undefined) return false
      onDamage({ gte: span.lower, ...(span.upper && { lt: span.upper }) })
      return true
    }
  }

  /** Whether a record was in a range deleted after it, up to `sequenceMax`; `undefined` when no range was deleted. */
  deletedUpTo(sequenceMax: number): ((record: RecordFields) => boolean) | undefined {
    const all = this.#ranges
    if (all.length === 0) return undefined
    return ({ keyBytes, keyStart, keyEnd, sequence }) =>
      all.some((ranges) => ranges.newestCovering(keyBytes, keyStart, keyEnd, sequenceMax) > sequence)
  }
}
