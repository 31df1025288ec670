import { CaskadeError } from './errors.js'
import type { Change, Changes, ChangesOptions } from './store.js'

/** What a feed reads from. */
export interface ChangeSource {
  /** Of the newest write. */
  readonly sequence: number
  /** In order, those after `since` up to `upTo`. */
  read(since: number, upTo: number, limit: number): Iterable<Change>
  /** Calls `wake` of the feed after the next write. */
  watch(): void
}

/** How many changes an asynchronous iteration gives before it lets the event loop turn. */
const changesPerTurn = 256

/** Both kinds of iteration over a source's changes, and the wait for more. */
export class ChangeFeed {
  readonly #source: ChangeSource
  #waiting: (() => void)[] = []
  #closed = false

  constructor(source: ChangeSource) {
    this.#source = source
  }

  changes(since: number, { limit = Infinity, live = false, signal }: ChangesOptions): Changes {
    const upTo = this.#source.sequence
    return {
      [Symbol.iterator]: () => this.#source.read(since, upTo, limit)[Symbol.iterator](),
      [Symbol.asyncIterator]: () => this.#follow(since, live ? Infinity : upTo, limit, signal),
    }
  }

  async *#follow(
    since: number,
    upTo: number,
    limit: number,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Change, undefined> {
    let sequence = since
    for (let left = limit; left > 0; ) {
      signal?.throwIfAborted()
      if (this.#closed) throw new CaskadeError('CASKADE_CLOSED', 'this store is closed: open it again')
      const newest = this.#source.sequence
      for (const change of this.#source.read(sequence, Math.min(upTo, newest), Math.min(left, changesPerTurn))) {
        sequence = change.sequence
        left--
        yield change
        signal?.throwIfAborted()
      }
      if (sequence >= upTo) return
      if (sequence < this.#source.sequence) await new Promise((resolve) => setImmediate(resolve))
      else if (upTo === Infinity) await this.#nextWrite(signal)
      else return
    }
  }

  #nextWrite(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        signal?.removeEventListener('abort', wake)
        resolve()
      }
      signal?.addEventListener('abort', wake)
      this.#waiting.push(wake)
      this.#source.watch()
    })
  }

  wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }

  /** Whoever waits for more is told that there is none. */
  close(): void {
    this.#closed = true
    this.wake()
  }
}
