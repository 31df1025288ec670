import type { Memtable } from './memtable/memtable.js'
import type { RecordCursor, RecordFields } from './record-cursor.js'
import type { Version } from './version/version.js'
import type { WriteLog } from './write-log.js'

/** The memtables and the version of one moment, kept open for reads at it. Whoever makes or retains it releases it once. */
export class Moment {
  /** Newer records are not part of it. */
  readonly sequence: number
  /** Oldest first. */
  readonly #memtables: readonly Memtable[]
  readonly #version: Version
  #references = 1

  constructor(log: WriteLog, version: Version) {
    this.sequence = log.sequence
    this.#memtables = [...log.immutables, log.active].map((memtable) => memtable.retain())
    this.#version = version.retain()
  }

  retain(): this {
    this.#references++
    return this
  }

  release(): void {
    if (--this.#references > 0) return
    this.#version.release()
    for (const memtable of this.#memtables) memtable.release()
  }

  /** Newest record of a key at that moment, tombstones included. */
  find(hash: number, source: Uint8Array, start: number, end: number, target: RecordFields): boolean {
    for (const memtable of this.#memtables.toReversed())
      if (memtable.find(hash, source, start, end, this.sequence, target)) return true
    return this.#version.find(hash, source, start, end, this.sequence, target)
  }

  /** Sorted runs that together hold it; they may hold newer records too. */
  cursors(): RecordCursor[] {
    return [...this.#memtables.flatMap((memtable) => memtable.cursors()), ...this.#version.cursors()]
  }
}
