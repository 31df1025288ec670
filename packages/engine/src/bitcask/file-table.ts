import { CaskadeError } from '../errors.js'
import type { DataFile } from './data-file.js'
import { fileIndexCount } from './keydir/keydir.js'

/** The open data files, by the index that the keydir knows them by. An index is used again when nobody reads the file any more. */
export class FileTable {
  readonly #files: (DataFile | undefined)[] = []
  readonly #free: number[] = []

  /** For a file that `enter` will bring, or `free` will give back. */
  reserve(): number {
    const index = this.#free.pop() ?? this.#files.push(undefined) - 1
    if (index < fileIndexCount) return index
    this.#files.pop()
    throw new CaskadeError(
      'CASKADE_DISK_FULL',
      `a bitcask store has at most ${fileIndexCount} data files: open it with a larger dataFileBytes, and compact it`,
    )
  }

  /** Of an empty table: these very indices, in an order of their own. */
  reserveThese(indices: ReadonlySet<number>): void {
    for (let index = 0; index <= Math.max(-1, ...indices); index++) {
      this.#files.push(undefined)
      if (!indices.has(index)) this.#free.push(index)
    }
  }

  free(index: number): void {
    this.#files[index] = undefined
    this.#free.push(index)
  }

  enter(file: DataFile): void {
    this.#files[file.index] = file
  }

  at(index: number): DataFile {
    return this.#files[index]!
  }

  /** Gives up one reference. */
  release(file: DataFile): void {
    if (file.release()) this.free(file.index)
  }

  *[Symbol.iterator](): IterableIterator<DataFile> {
    for (const file of this.#files) if (file !== undefined) yield file
  }
}
