import fs from 'node:fs'
import type { Mapping } from '@caskade/mmap'
import { CaskadeError } from '../errors.js'
import { Descriptor } from './descriptor.js'
import type { MmapModule } from './load-mmap.js'
import { mapWhole } from './map-whole.js'
import type { SegmentFile } from './storage.js'
import { attempt, storageError } from './storage-error.js'

/** How a segment is made: `map` says whether to map it, `fallocate` allocates without writing zeros. */
interface SegmentMeans {
  readonly map: MmapModule | undefined
  readonly fallocate: MmapModule | undefined
}

export function createSegmentFile(path: string, capacity: number, means: SegmentMeans): SegmentFile {
  if (!Number.isSafeInteger(capacity) || capacity < 1) {
    throw new RangeError(`capacity must be a positive integer of bytes, not ${capacity}`)
  }
  const { O_RDWR, O_CREAT, O_EXCL } = fs.constants
  const file = new Descriptor('create', path, O_RDWR | O_CREAT | O_EXCL)
  try {
    allocate(file, capacity, means.fallocate)
    const mapping = means.map && mapWhole(means.map, file, capacity, 'write')
    if (mapping) return new MappedSegmentFile(file, mapping)
    return new BufferedSegmentFile(
      file,
      attempt('buffer', path, () => new Uint8Array(capacity)),
      true,
    )
  } catch (error) {
    file.close()
    // Half a segment would take the space that is missing, and stand in the way of the next try.
    fs.rmSync(path, { force: true })
    throw error
  }
}

export function openSegmentFile(path: string, means: SegmentMeans): SegmentFile {
  const file = new Descriptor('open', path, fs.constants.O_RDONLY)
  try {
    const size = file.size()
    const mapping = means.map && mapWhole(means.map, file, size, 'read')
    if (mapping) return new MappedSegmentFile(file, mapping)
    const bytes = attempt('buffer', path, () => new Uint8Array(size))
    file.read(bytes, 0, size, 0)
    return new BufferedSegmentFile(file, bytes, false)
  } catch (error) {
    file.close()
    throw error
  }
}

/** Real blocks for all of the file: a hole could fail later, inside a store to memory, as a signal. */
function allocate(file: Descriptor, capacity: number, mmap: MmapModule | undefined): void {
  if (mmap) {
    try {
      mmap.fallocate(file.fd, 0, capacity)
      return
    } catch (error) {
      const unsupported = error instanceof mmap.MmapError && ['EOPNOTSUPP', 'ENOSYS'].includes(error.code)
      if (!unsupported) throw storageError('allocate', file.path, error)
    }
  }
  const zeros = new Uint8Array(Math.min(capacity, 1024 * 1024))
  for (let at = 0; at < capacity; at += zeros.length) {
    file.write(zeros, 0, Math.min(zeros.length, capacity - at), at)
  }
}

class MappedSegmentFile implements SegmentFile {
  readonly capacity: number
  readonly #file: Descriptor
  readonly #mapping: Mapping
  readonly #writable: boolean
  #bytes: Uint8Array | undefined

  constructor(file: Descriptor, mapping: Mapping) {
    this.#file = file
    this.#mapping = mapping
    this.#writable = mapping.access === 'write'
    this.#bytes = mapping.bytes
    this.capacity = mapping.length
  }

  get path(): string {
    return this.#file.path
  }

  get bytes(): Uint8Array {
    return this.#bytes ?? closed(this.path)
  }

  /** The page cache has every store at once. */
  commit(): void {
    if (!this.#writable) refuseCommit(this.path)
    this.#file.checkWritable()
  }

  sync(): void {
    this.#writeBack()
    this.#file.sync()
  }

  async syncLater(): Promise<void> {
    this.#writeBack()
    await this.#file.syncLater()
  }

  close(): void {
    this.#bytes = undefined
    this.#mapping.close()
    this.#file.close()
  }

  /** On Linux fdatasync covers what was stored through mappings; POSIX promises that only of msync. */
  #writeBack(): void {
    if (process.platform === 'linux') return
    try {
      this.#mapping.sync()
    } catch (error) {
      throw this.#file.poison(error)
    }
  }
}

class BufferedSegmentFile implements SegmentFile {
  readonly capacity: number
  readonly #file: Descriptor
  readonly #writable: boolean
  #bytes: Uint8Array | undefined

  constructor(file: Descriptor, bytes: Uint8Array, writable: boolean) {
    this.#file = file
    this.#bytes = bytes
    this.#writable = writable
    this.capacity = bytes.length
  }

  get path(): string {
    return this.#file.path
  }

  get bytes(): Uint8Array {
    return this.#bytes ?? closed(this.path)
  }

  commit(start: number, end: number): void {
    if (!this.#writable) refuseCommit(this.path)
    this.#file.write(this.bytes, start, end, start)
  }

  sync(): void {
    this.#file.sync()
  }

  syncLater(): Promise<void> {
    return this.#file.syncLater()
  }

  close(): void {
    this.#bytes = undefined
    this.#file.close()
  }
}

function closed(path: string): never {
  throw new CaskadeError('CASKADE_CLOSED', `the bytes of ${path} are gone: it is closed`)
}

function refuseCommit(path: string): never {
  throw new TypeError(`${path} was opened for reading: commit to a segment made by createSegment`)
}
