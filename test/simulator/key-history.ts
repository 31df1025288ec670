import { type History, isWrite, type Operation } from './history.js'

/** What is known of the writes of one key: which states can be explained by which writes. */
export class KeyHistory {
  readonly operations: readonly Operation[]
  readonly #writes: readonly Operation[]
  readonly #byValue = new Map<string, Operation>()
  readonly #clockErrorMaxMs: number

  constructor(operations: readonly Operation[], { clockErrorMaxMs }: Pick<History, 'clockErrorMaxMs'>) {
    this.operations = operations
    this.#writes = operations.filter(isWrite)
    for (const write of this.#writes) if (write.kind === 'put') this.#byValue.set(write.value, write)
    this.#clockErrorMaxMs = clockErrorMaxMs
  }

  writeOf(value: string): Operation | undefined {
    return this.#byValue.get(value)
  }

  /**
   * Whether a read that ended at `atMs` and returned `read.values` may have known of `write`: it shows it, or something
   * that rightly took its place. `write` was acknowledged, or is what took the place of one that was.
   */
  accountsFor(read: Operation, write: Operation, visited = new Set<Operation>()): boolean {
    if (write.kind === 'put' && (read.values.includes(write.value) || this.#mayHaveExpired(write, read.endedAtMs)))
      return true
    if (visited.has(write)) return false
    visited.add(write)
    if (write.bucket.rule === 'lww') return this.#lwwAccountsFor(read, write)
    if (write.kind === 'delete') return true
    return this.#writes.some(
      (later) =>
        later.outcome !== 'failed' &&
        later.beganAtMs <= read.endedAtMs &&
        later.seen.includes(write.value) &&
        this.accountsFor(read, later, visited),
    )
  }

  /** A write that the rule prefers, and that the read shows; or a deletion or expiry that it prefers, if it shows nothing. */
  #lwwAccountsFor(read: Operation, write: Operation): boolean {
    const preferred = (other: Operation) =>
      other.timestampMs === undefined || write.timestampMs === undefined || other.timestampMs >= write.timestampMs
    if (read.values.length > 0) {
      if (read.timestampMs !== undefined && write.timestampMs !== undefined)
        return read.timestampMs >= write.timestampMs
      return read.values.some((value) => {
        const shown = this.#byValue.get(value)
        return shown !== undefined && preferred(shown)
      })
    }
    if (write.kind === 'delete') return true
    return this.#writes.some(
      (other) =>
        other.outcome !== 'failed' &&
        other.beganAtMs <= read.endedAtMs &&
        (preferred(other) || other.contested) &&
        (other.kind === 'delete' || this.#mayHaveExpired(other, read.endedAtMs)),
    )
  }

  #mayHaveExpired({ expiresAtMs }: Operation, atMs: number): boolean {
    return expiresAtMs <= atMs + this.#clockErrorMaxMs
  }
}
