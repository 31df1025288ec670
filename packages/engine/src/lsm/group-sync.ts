/**
 * Group commit: many writers wait for one sync. A sync covers what was written before it began; who asks while one runs
 * waits for the next, which covers everybody who asked meanwhile.
 */
export class GroupSync {
  readonly #sync: () => Promise<number>
  #durableSequence: number
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined
  #failed: Promise<void> | undefined

  /** `sync` makes everything written so far durable and resolves to the sequence of the last write it covers. */
  constructor(sync: () => Promise<number>, durableSequence: number) {
    this.#sync = sync
    this.#durableSequence = durableSequence
  }

  get durableSequence(): number {
    return this.#durableSequence
  }

  get isRunning(): boolean {
    return this.#running !== undefined
  }

  /** `undefined` when writes up to `sequence` are durable already. Once a sync has failed, every call rejects with its error. */
  reach(sequence: number): Promise<void> | undefined {
    if (sequence <= this.#durableSequence) return undefined
    if (this.#failed !== undefined) return this.#failed
    if (this.#next !== undefined) return this.#next
    if (this.#running === undefined) return this.#begin()
    this.#next = this.#running.then(() => this.#begin())
    return this.#next
  }

  /** Resolves when no sync runs. Never rejects. */
  async idle(): Promise<void> {
    for (let sync = this.#running; sync !== undefined; sync = this.#next ?? this.#running) await sync.catch(() => {})
  }

  #begin(): Promise<void> {
    this.#next = undefined
    this.#running = this.#sync().then(
      (sequence) => {
        this.#durableSequence = sequence
        this.#running = undefined
      },
      (error) => {
        this.#running = undefined
        this.#next = undefined
        // Never tried again: the kernel tells of a lost write once, and the next sync would succeed without it.
        this.#failed = Promise.reject(error)
        this.#failed.catch(() => {})
        throw error
      },
    )
    return this.#running
  }
}
