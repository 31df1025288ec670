import { checkChanges } from '../../arguments.js'
import { ChangeFeed } from '../../change-feed.js'
import { TooOldError } from '../../errors.js'
import type { Change, Changes, ChangesOptions } from '../../store.js'
import { framesStart } from '../memtable/segment-format.js'
import { type ChangeSegment, type FramePlace, segmentChanges } from './segment-changes.js'

/** What is asked of the writer. */
export interface ChangeSource {
  readonly sequence: number
  readonly inAtomic: boolean
  onWrite: (() => void) | undefined
}

/** A part of the log by its sequences, and how to read it. */
export interface LogPart {
  number: number
  smallestSequence: number
  largestSequence: number
  /** `end`: whole frames lie before it; it may move. */
  open(): { segment: ChangeSegment; end: () => number; release: () => void }
}

/** Reads a log, which lies in parts, in order. */
export class LogChanges {
  readonly #log: ChangeSource
  readonly #newestFirst: () => Iterable<LogPart>
  /** Where the last iteration stopped: the next one that goes on from there need not look for it. */
  #stopped = { number: 0, offset: framesStart, sequence: 0 }
  readonly #feed: ChangeFeed

  /** `newestFirst`: the parts there are, without those of which something is missing. */
  constructor(log: ChangeSource, newestFirst: () => Iterable<LogPart>) {
    this.#log = log
    this.#newestFirst = newestFirst
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

  /** Whoever waits for more is told that there is none. */
  close(): void {
    this.#feed.close()
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

  /** The part with the first write after `sequence`; `undefined` if there is none yet. */
  #partAfter(sequence: number): LogPart | undefined {
    let oldest = this.#log.sequence
    if (sequence >= oldest) return undefined
    for (const part of this.#newestFirst()) {
      // A gap: what was written there was never in the log, or is not any more.
      if (part.largestSequence !== oldest) break
      oldest = part.smallestSequence - 1
      if (sequence >= oldest) return part
    }
    throw new TooOldError(sequence, oldest)
  }

  #placeIn(part: LogPart, sequence: number): FramePlace {
    const { number, offset, sequence: stoppedAt } = this.#stopped
    return { offset: number === part.number && stoppedAt <= sequence ? offset : framesStart }
  }
}
