import type { Entry } from '../store.js'

/** What a scan holds until it ends. */
interface Hold {
  release: () => void
}

/** Lets go for scans that were dropped without being iterated to their end. */
const forgotten = new FinalizationRegistry<Hold>((hold) => hold.release())

/**
 * A scan that opens what it reads at its first step; until then it only holds its moment, which keeps no file. One that is
 * forgotten, before or after that step, lets go when the garbage collector finds it.
 */
export class LateScan implements Iterator<Entry, undefined> {
  readonly #open: () => Iterator<Entry, undefined> & Hold
  readonly #hold: Hold
  #scan: Iterator<Entry, undefined> | undefined
  #ended = false

  /** `open` begins the scan; its `release` lets go of what it reads, more than once is once. `letGo` lets go of the moment. */
  constructor(open: () => Iterator<Entry, undefined> & Hold, letGo: () => void) {
    this.#open = open
    this.#hold = { release: letGo }
    forgotten.register(this, this.#hold, this)
  }

  /** Opens it now. */
  begin(): void {
    const scan = this.#open()
    this.#hold.release()
    this.#hold.release = () => scan.release()
    this.#scan = scan
  }

  next(): IteratorResult<Entry, undefined> {
    if (this.#ended) return { done: true, value: undefined }
    try {
      if (this.#scan === undefined) this.begin()
      const step = this.#scan!.next()
      if (step.done) this.return()
      return step
    } catch (error) {
      this.return()
      throw error
    }
  }

  return(): IteratorResult<Entry, undefined> {
    if (!this.#ended) {
      this.#ended = true
      forgotten.unregister(this)
      this.#hold.release()
    }
    return { done: true, value: undefined }
  }
}
