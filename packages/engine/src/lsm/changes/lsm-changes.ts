import { checkChanges } from '../../arguments.js'
import { viewOf } from '../../bytes.js'
import { ChangeFeed } from '../../change-feed.js'
import { TooOldError } from '../../errors.js'
import type { Storage } from '../../io/storage.js'
import type { Change, Changes, ChangesOptions } from '../../store.js'
import { segmentPath } from '../file-names.js'
import type { ManifestState } from '../manifest/manifest-state.js'
import type { Memtable } from '../memtable/memtable.js'
import { framesStart } from '../memtable/segment-format.js'
import type { WriteLog } from '../write-log.js'
import { type ChangeSegment, type FramePlace, segmentChanges } from './segment-changes.js'

/** A part of the log by its sequences, and how to read it. */
interface LogPart {
  number: number
  smallestSequence: number
  largestSequence: number
  open(): { segment: ChangeSegment; end: () => number; release: () => void }
}

/** Reads the log in order: kept segments, those waiting for their flush, the active one. */
export class LsmChanges {
  readonly #storage: Storage
  readonly #directory: string
  readonly #state: ManifestState
  readonly #log: WriteLog
  /** Where the last iteration stopped: the next one that goes on from there need not look for it. */
  #stopped = { number: 0, offset: framesStart, sequence: 0 }
  readonly #feed: ChangeFeed

  constructor(storage: Storage, directory: string, state: ManifestState, log: WriteLog) {
    this.#storage = storage
    this.#directory = directory
    this.#state = state
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
    this.#partAfter(since)
    return this.#feed.changes(since, options)
  }

  *#read(since: number, upTo: number, limit: number): Generator<Change, undefined> {
    let sequence = since
    for (let left = limit; left > 0 && sequence < upTo; ) {
      const part = this.#partAfter(sequence)
      if (part === undefined) return
      const { segment, end, release } = part.open()
      const place = this.#placeIn(part, sequence)
      try {
        for (const change of segmentChanges(segment, place, end, sequence)) {
          if (change.sequence > upTo) return
          sequence = change.sequence
          yield change
          if (--left === 0 || sequence === upTo) return
        }
      } finally {
        this.#stopped = { number: part.number, offset: place.offset, sequence }
        release()
      }
      if (sequence < part.largestSequence) sequence = part.largestSequence
    }
  }

  /** Whoever waits for more is told that there is none. */
  close(): void {
    this.#feed.close()
  }

  /** The part with the first write after `sequence`; `undefined` if there is none yet. */
  #partAfter(sequence: number): LogPart | undefined {
    let oldest = this.#log.sequence
    if (sequence >= oldest) return undefined
    for (const part of this.#partsNewestFirst()) {
      // A gap: what was written there was never in the log, or is not any more.
      if (part.largestSequence !== oldest) break
      oldest = part.smallestSequence - 1
      if (sequence >= oldest) return part
    }
    throw new TooOldError(sequence, oldest)
  }

  *#partsNewestFirst(): Generator<LogPart> {
    for (const memtable of [this.#log.active, ...this.#log.immutables.toReversed()])
      if (memtable.largestSequence > 0) yield memtablePart(memtable)
    for (const kept of [...this.#state.kept.values()].reverse()) {
      const { number, salt, end, smallestSequence, largestSequence } = kept
      const path = segmentPath(this.#directory, number)
      const open = () => {
        const file = this.#storage.openSegment(path)
        const segment = { bytes: file.bytes, view: viewOf(file.bytes), salt, path }
        return { segment, end: () => end, release: () => file.close() }
      }
      yield { number, smallestSequence, largestSequence, open }
    }
  }

  #placeIn(part: LogPart, sequence: number): FramePlace {
    const { number, offset, sequence: stoppedAt } = this.#stopped
    return { offset: number === part.number && stoppedAt <= sequence ? offset : framesStart }
  }
}

function memtablePart(memtable: Memtable): LogPart {
  const { fileNumber: number, smallestSequence, largestSequence, bytes, view, salt, file } = memtable
  const open = () => {
    memtable.retain()
    let held = true
    const release = () => {
      if (held) memtable.release()
      held = false
    }
    return { segment: { bytes, view, salt, path: file.path }, end: () => memtable.wholeEnd, release }
  }
  return { number, smallestSequence, largestSequence, open }
}
