/**
 * Group commit for stores that have none of their own: writers that come while a commit runs share the next one. Each is
 * answered when its group is on disk.
 */
export class GroupCommit {
  readonly #commit: (keys: Uint8Array[], values: Uint8Array[]) => Promise<unknown> | undefined
  #keys: Uint8Array[] = []
  #values: Uint8Array[] = []
  #next: Promise<void> | undefined
  #running: Promise<void> = Promise.resolve()

  constructor(commit: (keys: Uint8Array[], values: Uint8Array[]) => Promise<unknown> | undefined) {
    this.#commit = commit
  }

  put(key: Uint8Array, value: Uint8Array): Promise<void> {
    this.#keys.push(key)
    this.#values.push(value)
    if (this.#next === undefined) {
      this.#next = this.#running.then(turn, turn).then(() => this.#flush())
      this.#running = this.#next
    }
    return this.#next
  }

  async #flush(): Promise<void> {
    const keys = this.#keys
    const values = this.#values
    this.#keys = []
    this.#values = []
    this.#next = undefined
    await this.#commit(keys, values)
  }
}

/** Lets everyone who was just answered come back with the next write. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
