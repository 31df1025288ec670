import fs from 'node:fs'
import type { Mapping } from '@caskade/mmap'
import { CaskadeError } from '../errors.js'
import { Descriptor, endOfFile } from './descriptor.js'
import type { MmapModule } from './load-mmap.js'
import { mapWhole } from './map-whole.js'
import type { ReadFile } from './storage.js'
import { attempt } from './storage-error.js'

/** Opens with a mapping where `mmap` is given and can do it, else with pread. A mapped file needs no descriptor. */
export function openReadFile(path: string, mmap: MmapModule | undefined): ReadFile {
  const file = new Descriptor('open', path, fs.constants.O_RDONLY)
  try {
    const size = file.size()
    const mapping = mmap && mapWhole(mmap, file, size, 'read')
    if (!mapping) return new PreadFile(file, size)
    file.close()
    return new MappedReadFile(path, mapping)
  } catch (error) {
    file.close()
    throw error
  }
}

class MappedReadFile implements ReadFile {
  readonly path: string
  readonly size: number
  readonly #mapping: Mapping
  #bytes: Uint8Array | undefined

  constructor(path: string, mapping: Mapping) {
    this.path = path
    this.size = mapping.length
    this.#mapping = mapping
    this.#bytes = mapping.bytes
  }

  get mapping(): Uint8Array | undefined {
    return this.#bytes
  }

  read(target: Uint8Array, start: number, length: number, offset: number): void {
    if (!this.#bytes) throw new CaskadeError('CASKADE_CLOSED', `cannot read ${this.path}: it is closed`)
    if (offset + length > this.size) throw endOfFile(this.path, offset, length, this.size)
    target.set(this.#bytes.subarray(offset, offset + length), start)
  }

  async readLater(target: Uint8Array, start: number, length: number, offset: number): Promise<void> {
    this.read(target, start, length, offset)
  }

  advise(offset: number, length: number, advice: 'will-need' | 'random' | 'sequential' | 'dont-need'): void {
    const within = Math.min(length, this.size - offset)
    if (within > 0) attempt('advise on', this.path, () => this.#mapping.advise(advice, offset, within))
  }

  close(): void {
    this.#bytes = undefined
    this.#mapping.close()
  }
}

class PreadFile implements ReadFile {
  readonly size: number
  readonly mapping: undefined
  readonly #file: Descriptor

  constructor(file: Descriptor, size: number) {
    this.#file = file
    this.size = size
  }

  get path(): string {
    return this.#file.path
  }

  read(target: Uint8Array, start: number, length: number, offset: number): void {
    this.#file.read(target, start, length, offset)
  }

  readLater(target: Uint8Array, start: number, length: number, offset: number): Promise<void> {
    return this.#file.readLater(target, start, length, offset)
  }

  advise(): void {
    // Node has no posix_fadvise; the kernel's own readahead serves.
  }

  close(): void {
    this.#file.close()
  }
}
