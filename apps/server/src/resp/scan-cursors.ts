/** What the table charges for an entry besides its key. */
const entryBytes = 200

/**
 * Where SCAN stopped, by the decimal number the client holds. Keys are longer than 64 bits, so a number cannot hold a position by
 * itself; the table is bounded, the longest unused position is forgotten first, and a forgotten one is an error to the client, never a
 * silent gap. One key has one number, so that repeating `SCAN 0` does not push out others.
 *
 * Numbers stay below 2^53 (clients in JavaScript) and begin with a random part per process: after a restart an old number is
 * unknown instead of another place.
 */
export class ScanCursors {
  readonly #keys = new Map<string, string>()
  readonly #cursors = new Map<string, string>()
  readonly #bytesMax: number
  readonly #epoch: bigint
  #next = 0
  #bytes = 0

  constructor(bytesMax: number, random: () => number) {
    this.#bytesMax = bytesMax
    this.#epoch = BigInt(1 + Math.floor(random() * (2 ** 21 - 1))) << 32n
  }

  /** The number under which `lastKey` (latin1) will be found. */
  remember(lastKey: string): string {
    const known = this.#cursors.get(lastKey)
    if (known !== undefined) {
      this.#touch(known, lastKey)
      return known
    }
    this.#next = (this.#next + 1) >>> 0
    const cursor = (this.#epoch + BigInt(this.#next)).toString()
    this.#keys.set(cursor, lastKey)
    this.#cursors.set(lastKey, cursor)
    this.#bytes += 2 * lastKey.length + entryBytes
    for (const [oldest, key] of this.#keys) {
      if (this.#bytes <= this.#bytesMax || oldest === cursor) break
      this.#keys.delete(oldest)
      this.#cursors.delete(key)
      this.#bytes -= 2 * key.length + entryBytes
    }
    return cursor
  }

  /** `undefined`: forgotten, or never given out. */
  find(cursor: string): string | undefined {
    const key = this.#keys.get(cursor)
    if (key !== undefined) this.#touch(cursor, key)
    return key
  }

  #touch(cursor: string, key: string): void {
    this.#keys.delete(cursor)
    this.#keys.set(cursor, key)
  }
}
