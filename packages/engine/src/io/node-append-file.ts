import fs from 'node:fs'
import { CaskadeError } from '../errors.js'
import { Descriptor } from './descriptor.js'
import type { AppendFile } from './storage.js'

export class NodeAppendFile implements AppendFile {
  readonly #file: Descriptor
  #length: number

  private constructor(file: Descriptor, length: number) {
    this.#file = file
    this.#length = length
  }

  static create(path: string): NodeAppendFile {
    const { O_WRONLY, O_CREAT, O_EXCL } = fs.constants
    return new NodeAppendFile(new Descriptor('create', path, O_WRONLY | O_CREAT | O_EXCL), 0)
  }

  static append(path: string, length: number): NodeAppendFile {
    const file = new Descriptor('open', path, fs.constants.O_RDWR)
    try {
      const size = file.size()
      if (size < length) {
        throw new CaskadeError(
          'CASKADE_IO',
          `cannot append to ${path}: its first ${length} bytes were expected, but it has ${size}: it was cut, restore it`,
        )
      }
      if (size > length) file.truncate(length)
      return new NodeAppendFile(file, length)
    } catch (error) {
      file.close()
      throw error
    }
  }

  get path(): string {
    return this.#file.path
  }

  get length(): number {
    return this.#length
  }

  append(bytes: Uint8Array): void {
    try {
      this.#file.write(bytes, 0, bytes.length, this.#length)
    } catch (error) {
      this.#cutTail()
      throw error
    }
    this.#length += bytes.length
  }

  sync(): void {
    this.#file.sync()
  }

  syncLater(): Promise<void> {
    return this.#file.syncLater()
  }

  close(): void {
    this.#file.close()
  }

  /** After a write that failed halfway. If even this fails, the next append still starts at `length`. */
  #cutTail(): void {
    try {
      this.#file.truncate(this.#length)
    } catch {
      // The caller gets the first error.
    }
  }
}
