import { viewOf } from '../bytes.js'
import type { SegmentBytes } from '../lsm/memtable/segment-record.js'
import type { ActiveFile } from './active-file.js'
import type { DataFile } from './data-file.js'
import type { FileTable } from './file-table.js'
import type { Keydir } from './keydir/keydir.js'

/**
 * The keydir and the data files of one moment, kept for reads at it. Whoever makes or retains it releases it once. One made inside a
 * batch keeps a copy of the batch's records: they may yet be taken back and written over.
 */
export class Moment {
  readonly sequence: number
  readonly keydirMoment: number
  readonly #keydir: Keydir
  readonly #files: FileTable
  readonly #retained: readonly DataFile[]
  readonly #frame: { index: number; start: number; copy: SegmentBytes } | undefined
  #references = 1
  /** After `load`: what holds the record. */
  bytes: Uint8Array = new Uint8Array(0)
  view: DataView = viewOf(this.bytes)

  constructor(keydir: Keydir, files: FileTable, active: ActiveFile, sequence: number) {
    this.sequence = sequence
    this.#keydir = keydir
    this.#files = files
    this.keydirMoment = keydir.openMoment()
    this.#retained = [...files].map((file) => file.retain())
    const start = active.openFrameStart
    if (start === 0) return
    const bytes = new Uint8Array(active.file.bytes.subarray(start, active.file.end))
    this.#frame = { index: active.file.index, start, copy: { bytes, view: viewOf(bytes) } }
  }

  /** Makes a record readable; returns its position in `bytes`. */
  load(index: number, offset: number): number {
    const frame = this.#frame
    if (frame !== undefined && index === frame.index && offset >= frame.start) {
      this.bytes = frame.copy.bytes
      this.view = frame.copy.view
      return offset - frame.start
    }
    const file = this.#files.at(index)
    const position = file.load(offset)
    this.bytes = file.bytes
    this.view = file.view
    return position
  }

  retain(): this {
    this.#references++
    return this
  }

  release(): void {
    if (--this.#references > 0) return
    this.#keydir.closeMoment(this.keydirMoment)
    for (const file of this.#retained) this.#files.release(file)
  }
}
