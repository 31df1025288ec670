import type { ReadFile } from '../../io/storage.js'

/** Where a block lies in memory. Reused: a read changes it. */
export interface BlockPlace {
  bytes: Uint8Array
  view: DataView
  start: number
  length: number
}

const nothing = new Uint8Array(0)
const nothingView = new DataView(nothing.buffer)

export function newPlace(): BlockPlace {
  return { bytes: nothing, view: nothingView, start: 0, length: 0 }
}

/** Memory that grows and is used again. */
export class ReusedBytes {
  bytes: Uint8Array = nothing
  view: DataView = nothingView

  ensure(length: number): void {
    if (length <= this.bytes.length) return
    this.bytes = Buffer.allocUnsafeSlow(Math.max(length, Math.min(this.bytes.length * 2, length + 64 * 1024)))
    this.view = new DataView(this.bytes.buffer)
  }
}

/** A stretch of a file that is read with pread: one call for many blocks when reading ahead, in either direction. */
export class FileWindow {
  readonly memory = new ReusedBytes()
  readonly #aheadBytes: number
  #from = 0
  #to = 0

  /** `aheadBytes` 0: no more than what is asked for. */
  constructor(aheadBytes: number) {
    this.#aheadBytes = aheadBytes
  }

  /** Makes `[offset, offset + length)` present; returns where in `memory` it begins. Nothing outside `[least, most)` is read. */
  load(file: ReadFile, offset: number, length: number, least: number, most: number, backward: boolean): number {
    const end = offset + length
    if (offset < this.#from || end > this.#to) {
      const from = backward ? Math.max(least, Math.min(offset, end - this.#aheadBytes)) : offset
      const to = backward ? end : Math.min(most, Math.max(end, offset + this.#aheadBytes))
      this.#to = 0
      this.memory.ensure(to - from)
      file.read(this.memory.bytes, 0, to - from, from)
      this.#from = from
      this.#to = to
    }
    return offset - this.#from
  }
}
