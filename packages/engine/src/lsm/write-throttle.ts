import { delayPerMiB, type WriteDebt } from './compaction/throttle-policy.js'

/** Writers are asked to pause once in this many bytes. */
const throttleBytes = 1 << 20
/** A pause that nobody awaits is taken in the calling thread from this length on. */
const owedPauseMsMax = 30

/** Slows writers to the background's pace, in pauses that they await, or else take where they are. */
export class WriteThrottle {
  readonly #debt: () => WriteDebt
  readonly #wait: (ms: number) => void
  #dueAt = throttleBytes
  #owedMs = 0
  /** Pauses asked for: how many, the longest, and all together. */
  readonly stalls = { count: 0, longestMs: 0, totalMs: 0 }

  /** `wait` blocks the thread for a time, or until the background has something to show. */
  constructor(debt: () => WriteDebt, wait: (ms: number) => void) {
    this.#debt = debt
    this.#wait = wait
  }

  isDue(bytesWritten: number): boolean {
    return bytesWritten >= this.#dueAt
  }

  /** To be called when it is due, before a write. */
  throttle(bytesWritten: number): void {
    this.#dueAt = bytesWritten + throttleBytes
    this.#owedMs += delayPerMiB(this.#debt())
    if (this.#owedMs >= owedPauseMsMax) this.#wait(this.#take())
  }

  /** `undefined`: go on. */
  pause(): Promise<void> | undefined {
    if (this.#owedMs === 0) return undefined
    const pauseMs = this.#take()
    return new Promise((resolve) => setTimeout(resolve, pauseMs))
  }

  #take(): number {
    const pauseMs = this.#owedMs
    this.#owedMs = 0
    this.stalls.count++
    this.stalls.longestMs = Math.max(this.stalls.longestMs, pauseMs)
    this.stalls.totalMs += pauseMs
    return pauseMs
  }
}
