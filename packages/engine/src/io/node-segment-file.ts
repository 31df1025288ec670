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

export function createSegmentFile(path: string, capacity: number, allocated: number, means: SegmentMeans): SegmentFile {
  if (!Number.isSafeInteger(capacity) || capacity < 1) {
    throw new RangeError(`capacity must be a positive integer of bytes, not ${capacity}`)
  }
  const { O_RDWR, O_CREAT, O_EXCL } = fs.constants
  const file = new Descriptor('create', path, O_RDWR | O_CREAT | O_EXCL)
  try {
    const space = new AllocatedSpace(file, means.fallocate)
    space.allocate(canAllocateLater ? Math.min(allocated, capacity) : capacity)
    if (space.end < capacity) file.truncate(capacity)
    return writable(file, capacity, space, means)
  } catch (error) {
    file.close()
    // Half a segment would take the space that is missing, and stand in the way of the next try.
    fs.rmSync(path, { force: true })
    throw error
  }
}

export function resumeSegmentFile(path: string, allocated: number, means: SegmentMeans): SegmentFile {
  const file = new Descriptor('open', path, fs.constants.O_RDWR)
  try {
    const capacity = file.size()
    const space = new AllocatedSpace(file, means.fallocate)
    space.allocate(canAllocateLater ? Math.min(allocated, capacity) : capacity)
    return writable(file, capacity, space, means)
  } catch (error) {
    file.close()
    throw error
  }
}

function writable(file: Descriptor, capacity: number, space: AllocatedSpace, means: SegmentMeans): SegmentFile {
  const mapping = means.map && mapWhole(means.map, file, capacity, 'write')
  if (mapping) return new MappedSegmentFile(file, mapping, space)
  const bytes = attempt('buffer', file.path, () => new Uint8Array(capacity))
  return new BufferedSegmentFile(file, bytes, space)
}

export function openSegmentFile(path: string, means: SegmentMeans): SegmentFile {
  const file = new Descriptor('open', path, fs.constants.O_RDONLY)
  try {
    const size = file.size()
    const mapping = means.map && mapWhole(means.map, file, size, 'read')
    if (mapping) return new MappedSegmentFile(file, mapping, undefined)
    const bytes = attempt('buffer', path, () => new Uint8Array(size))
    file.read(bytes, 0, size, 0)
    return new BufferedSegmentFile(file, bytes, undefined)
  } catch (error) {
    file.close()
    throw error
  }
}

/** macOS allocates only past the end of a file, so there all of it is allocated while it grows to its size. */
const canAllocateLater = process.platform !== 'darwin'

/** The front part of a file that has real blocks: a hole could fail later, inside a store to memory, as a signal. */
class AllocatedSpace {
  readonly #file: Descriptor
  readonly #mmap: MmapModule | undefined
  end = 0

  constructor(file: Descriptor, mmap: MmapModule | undefined) {
    this.#file = file
    this.#mmap = mmap
  }

  /** What is written there already stays as it is. */
  allocate(end: number): void {
    if (end <= this.end) return
    if (!this.#fallocate(end)) this.#writeZeros(end)
    this.end = end
  }

  #fallocate(end: number): boolean {
    const mmap = this.#mmap
    if (mmap === undefined) return false
    try {
      mmap.fallocate(this.#file.fd, this.end, end - this.end)
      return true
    } catch (error) {
      if (error instanceof mmap.MmapError && ['EOPNOTSUPP', 'ENOSYS'].includes(error.code)) return false
      throw storageError('allocate', this.#file.path, error)
    }
  }

  #writeZeros(end: number): void {
    const zeros = new Uint8Array(Math.min(end - this.end, 1024 * 1024))
    for (let at = this.end; at < end; at += zeros.length) {
      this.#file.write(zeros, 0, Math.min(zeros.length, end - at), at)
    }
  }
}

class MappedSegmentFile implements SegmentFile {
  readonly capacity: number
  readonly #file: Descriptor
  readonly #mapping: Mapping
  /** Absent: opened for reading. */
  readonly #space: AllocatedSpace | undefined
  #bytes: Uint8Array | undefined

  constructor(file: Descriptor, mapping: Mapping, space: AllocatedSpace | undefined) {
    this.#file = file
    this.#mapping = mapping
    this.#space = space
    this.#bytes = mapping.bytes
    this.capacity = mapping.length
    // Written front to back: reading ahead of the writer would only stall it, for zeros.
    if (space !== undefined) mapping.advise('random')
  }

  get path(): string {
    return this.#file.path
  }

  get bytes(): Uint8Array {
    return this.#bytes ?? closed(this.path)
  }

  get allocated(): number {
    return this.#space?.end ?? 0
  }

  allocate(end: number): void {
    if (this.#space === undefined) refuseCommit(this.path)
    this.#file.checkWritable()
    this.#space.allocate(end)
  }

  /** The page cache has every store at once. */
  commit(): void {
    if (this.#space === undefined) refuseCommit(this.path)
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
  /** Absent: opened for reading. */
  readonly #space: AllocatedSpace | undefined
  #bytes: Uint8Array | undefined

  constructor(file: Descriptor, bytes: Uint8Array, space: AllocatedSpace | undefined) {
    this.#file = file
    this.#bytes = bytes
    this.#space = space
    this.capacity = bytes.length
  }

  get path(): string {
    return this.#file.path
  }

  get bytes(): Uint8Array {
    return this.#bytes ?? closed(this.path)
  }

  get allocated(): number {
    return this.#space?.end ?? 0
  }

  allocate(end: number): void {
    if (this.#space === undefined) refuseCommit(this.path)
    this.#file.checkWritable()
    this.#space.allocate(end)
  }

  commit(start: number, end: number): void {
    if (this.#space === undefined) refuseCommit(this.path)
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
