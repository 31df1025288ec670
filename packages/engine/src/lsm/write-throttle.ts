import { delayPerMiB, type WriteDebt } from './compaction/throttle-policy.js'

/** A shorter pause would be lost in the granularity of timers. */
const owedPauseMsMin = 1
/** No write of a few records pauses longer; what is owed besides is asked for at the next one. */
const pauseMsMax = 25
/** A write pauses once for so many bytes: large values, of which there are few, would never pay what they owe. */
const pauseBytes = 64 << 10
/** A pause that nobody awaits is taken in the calling thread from this length on. */
const owedPauseMsMax = 10

/** Slows writers to the background's pace, in pauses that they await, or else take where they are. */
export class WriteThrottle {
  readonly #debt: () => WriteDebt
  readonly #wait: (ms: number) => void
  readonly #everyBytes: number
  #dueAt: number
  #countedTo = 0
  #owedMs = 0
  /** Pauses asked for: how many, the longest, and all together. */
  readonly stalls = { count: 0, longestMs: 0, totalMs: 0 }

  /**
   * Writers are asked to pause once in `everyBytes`. `wait` blocks the thread for a time, or until the background has something
   * to show.
   */
  constructor(everyBytes: number, debt: () => WriteDebt, wait: (ms: number) => void) {
    this.#everyBytes = everyBytes
    this.#dueAt = everyBytes
    this.#debt = debt
    this.#wait = wait
  }

  isDue(bytesWritten: number): boolean {
    return bytesWritten >= this.#dueAt
  }

  /** To be called when it is due, before a write. */
  throttle(bytesWritten: number): void {
    const bytes = bytesWritten - this.#countedTo
    this.#countedTo = bytesWritten
    const delay = delayPerMiB(this.#debt())
    this.#owedMs = delay === 0 ? 0 : this.#owedMs + delay * (bytes / (1 << 20))
    const late = bytesWritten - this.#dueAt
    if (this.#owedMs >= owedPauseMsMax) this.#wait(this.#take(Math.max(1, late / pauseBytes)))
    this.#dueAt = bytesWritten + (this.#owedMs >= owedPauseMsMax ? 1 : this.#everyBytes)
  }

  /** `undefined`: go on. */
  pause(): Promise<void> | undefined {
    if (this.#owedMs < owedPauseMsMin) return undefined
    const pauseMs = this.#take(1)
    return new Promise((resolve) => setTimeout(resolve, pauseMs))
  }

  #take(pauses: number): number {
    const pauseMs = Math.min(this.#owedMs, pauseMsMax * pauses)
    this.#owedMs -= pauseMs
    this.stalls.count++
    this.stalls.longestMs = Math.max(this.stalls.longestMs, pauseMs)
    this.stalls.totalMs += pauseMs
    return pauseMs
  }
}
