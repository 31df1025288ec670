import { checkChanges } from '../arguments.js'
import { viewOf } from '../bytes.js'
import { ChangeFeed } from '../change-feed.js'
import { TooOldError } from '../errors.js'
import type { Storage } from '../io/storage.js'
import { segmentChanges } from '../lsm/changes/segment-changes.js'
import type { ManifestState } from '../lsm/manifest/manifest-state.js'
import { framesStart } from '../lsm/memtable/segment-format.js'
import type { Change, Changes, ChangesOptions } from '../store.js'
import type { DataFile } from './data-file.js'
import type { DataLog } from './data-log.js'
import type { FileTable } from './file-table.js'
import { readWhole } from './recovery.js'

/** Reads the data files that no merge has touched, in order: they are the log. */
export class BitcaskChanges {
  readonly #storage: Storage
  readonly #state: ManifestState
  readonly #files: FileTable
  readonly #log: DataLog
  readonly #feed: ChangeFeed

  constructor(storage: Storage, state: ManifestState, files: FileTable, log: DataLog) {
    this.#storage = storage
    this.#state = state
    this.#files = files
    this.#log = log
    const onWrite = () => {
      log.onWrite = undefined
      this.#feed.wake()
    }
    this.#feed = new ChangeFeed({
      get sequence() {
        return log.sequence
      },
      read: (since, upTo, limit) => this.#read(since, upTo, limit),
      watch: () => {
        log.onWrite = onWrite
      },
    })
  }

  changes(since: number, options: ChangesOptions): Changes {
    checkChanges(since, options)
    if (this.#log.inAtomic) throw new TypeError('changes() cannot be part of an atomic batch: call it before or after')
    this.#fileAfter(since)
    return this.#feed.changes(since, options)
  }

  /** Whoever waits for more is told that there is none. */
  close(): void {
    this.#feed.close()
  }

  *#read(since: number, upTo: number, limit: number): Generator<Change, undefined> {
    let sequence = since
    for (let left = limit; left > 0 && sequence < upTo; ) {
      const file = this.#fileAfter(sequence)
      if (file === undefined) return
      const { largestSequence } = file.summary
      file.retain()
      try {
        for (const change of segmentChanges(
          this.#segmentOf(file),
          { offset: framesStart },
          () => this.#endOf(file),
          sequence,
        )) {
          if (change.sequence > upTo) return
          sequence = change.sequence
          yield change
          if (--left === 0 || sequence === upTo) return
        }
      } finally {
        this.#files.release(file)
      }
      if (sequence < largestSequence) sequence = largestSequence
    }
  }

  /** The file with the first write after `sequence`; `undefined` if there is none yet. */
  #fileAfter(sequence: number): DataFile | undefined {
    let oldest = this.#log.sequence
    if (sequence >= oldest) return undefined
    for (const file of this.#newestFirst()) {
      // A gap: a merge has dropped what was written there.
      const { smallestSequence, largestSequence, records } = file.summary
      // Or an ingest: one sequence.
      if (largestSequence !== oldest || largestSequence - smallestSequence + 1 < records) break
      oldest = smallestSequence - 1
      if (sequence >= oldest) return file
    }
    throw new TooOldError(sequence, oldest)
  }

  #newestFirst(): DataFile[] {
    return [...this.#files]
      .filter(({ merged, number, summary }) => !merged && summary.records > 0 && this.#state.segments.has(number))
      .sort((a, b) => b.number - a.number)
  }

  /** What a batch has written so far is not in it. */
  #endOf(file: DataFile): number {
    const { active } = this.#log
    return active.file === file && active.openFrameStart !== 0 ? active.openFrameStart : file.end
  }

  #segmentOf(file: DataFile) {
    const { salt, path } = file
    if (file.isResident) return { bytes: file.bytes, view: file.view, salt, path }
    const bytes = readWhole(this.#storage, path)
    return { bytes, view: viewOf(bytes), salt, path }
  }
}
