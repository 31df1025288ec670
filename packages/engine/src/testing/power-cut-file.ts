import type { SeededRandom } from './seeded-random.js'

export const pageBytes = 4096

/**
 * One file of a storage that can lose power: what a reader sees now, and what is on the disk for sure. The two differ in the
 * pages that were written and not yet synced.
 */
export class PowerCutFile {
  /** What readers see; as long as the file. A mapping of the file is this very array. */
  content: Uint8Array
  #durable: Uint8Array
  #syncsBegun = 0
  #lastSynced = 0

  constructor(content: Uint8Array = new Uint8Array(0), durable: Uint8Array = new Uint8Array(0)) {
    this.content = content
    this.#durable = durable
  }

  write(bytes: Uint8Array, offset: number): void {
    if (offset + bytes.length > this.content.length) this.resize(offset + bytes.length)
    this.content.set(bytes, offset)
  }

  resize(length: number): void {
    const resized = new Uint8Array(length)
    resized.set(this.content.subarray(0, length))
    this.content = resized
  }

  /** What a sync that begins now makes durable; the sync itself is the call of what is returned. */
  beginSync(): () => void {
    const synced = this.content.slice()
    const begun = ++this.#syncsBegun
    return () => {
      // One that began earlier and ends later takes nothing back.
      if (begun < this.#lastSynced) return
      this.#lastSynced = begun
      this.#durable = synced
    }
  }

  /** The same file after the death of the process: nothing is lost, and nothing more is durable. */
  processClone(): PowerCutFile {
    return new PowerCutFile(this.content.slice(), this.#durable)
  }

  /** The file as a power cut leaves it: each page that was not synced made it to the disk with probability `p`. */
  powerCutClone(p: number, random: SeededRandom): PowerCutFile {
    const { content } = this
    const durable = this.#durable
    // The length is metadata: it may be there without the pages, which then read as zeros.
    let length = random.chance(p) ? content.length : durable.length
    const pages = Math.ceil(Math.max(content.length, durable.length) / pageBytes)
    const kept: number[] = []
    for (let page = 0; page < pages; page++) {
      const start = page * pageBytes
      const end = start + pageBytes
      if (Buffer.compare(content.subarray(start, end), durable.subarray(start, end)) === 0) continue
      if (!random.chance(p)) continue
      kept.push(start)
      if (start < content.length) length = Math.max(length, Math.min(end, content.length))
    }
    const left = new Uint8Array(length)
    left.set(durable.subarray(0, length))
    for (const start of kept)
      left.set(content.subarray(start, Math.min(start + pageBytes, length)), Math.min(start, length))
    return new PowerCutFile(left, left.slice())
  }
}
