import { CaskadeError } from '../../errors.js'
import type { AppendFile, ReadFile } from '../../io/storage.js'

/** Files in memory, for the tests of this directory. */
export class MemoryAppendFile implements AppendFile {
  readonly path: string
  readonly #chunks: Uint8Array[] = []
  length = 0

  constructor(path: string) {
    this.path = path
  }

  append(bytes: Uint8Array): void {
    this.#chunks.push(new Uint8Array(bytes))
    this.length += bytes.length
  }

  bytes(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#chunks))
  }

  sync(): void {}

  async syncLater(): Promise<void> {}

  close(): void {}
}

/** `mapped`: its bytes are lent in place, as from a mapping; else each read copies, as pread does. */
export class MemoryReadFile implements ReadFile {
  readonly path: string
  readonly mapping: Uint8Array | undefined
  readonly #bytes: Uint8Array

  constructor(path: string, bytes: Uint8Array, mapped: boolean) {
    this.path = path
    this.#bytes = bytes
    this.mapping = mapped ? bytes : undefined
  }

  get size(): number {
    return this.#bytes.length
  }

  read(target: Uint8Array, start: number, length: number, offset: number): void {
    if (offset < 0 || offset + length > this.#bytes.length) {
      throw new CaskadeError('CASKADE_IO', `${this.path} ends before ${offset + length}`)
    }
    if (start + length > target.length) throw new RangeError('the target is too small')
    target.set(this.#bytes.subarray(offset, offset + length), start)
  }

  async readLater(target: Uint8Array, start: number, length: number, offset: number): Promise<void> {
    this.read(target, start, length, offset)
  }

  advise(): void {}

  close(): void {}
}
