import fs from 'node:fs'
import type { Mapping } from '@caskade/mmap'
import { CaskadeError } from '../errors.js'
import { Descriptor } from './descriptor.js'
import type { MmapModule } from './load-mmap.js'
import { mapWhole } from './map-whole.js'
import type { SegmentFile } from './storage.js'
import { attempt, storageError } from './storage-error.js'

/** Half a millisecond of unmapping. */
const shedBytes = 4 << 20

/** How a segment is made: `map` says whether to map it, `fallocate` allocates without writing zeros. */
interface SegmentMeans {
  readonly map: MmapModule | undefined
  readonly fallocate: MmapModule | undefined
}

export function createSegmentFile(
  path: string,
  capacity: number,
  allocated: number | undefined,
  means: SegmentMeans,
): SegmentFile {
  if (!Number.isSafeInteger(capacity) || capacity < 1) {
    throw new RangeError(`capacity must be a positive integer of bytes, not ${capacity}`)
  }
  const { O_RDWR, O_CREAT, O_EXCL } = fs.constants
  const file = new Descriptor('create', path, O_RDWR | O_CREAT | O_EXCL)
  try {
    const space = new AllocatedSpace(file, means.fallocate)
    space.allocate(canAllocateLater ? Math.min(allocated ?? capacity, capacity) : capacity)
    if (space.end < capacity) file.truncate(capacity)
    return new NodeSegmentFile(file, capacity, space, means.map, allocated === undefined)
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
    return new NodeSegmentFile(file, capacity, space, means.map)
  } catch (error) {
    file.close()
    throw error
  }
}

export function openSegmentFile(path: string, means: SegmentMeans): SegmentFile {
  const file = new Descriptor('open', path, fs.constants.O_RDONLY)
  try {
    const segment = new NodeSegmentFile(file, file.size(), undefined, means.map)
    segment.load()
    return segment
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

/** Its bytes are mapped, or read, when they are first asked for: who only allocates space needs none. */
class NodeSegmentFile implements SegmentFile {
  readonly capacity: number
  readonly #file: Descriptor
  /** Absent: opened for reading. */
  readonly #space: AllocatedSpace | undefined
  readonly #mmap: MmapModule | undefined
  readonly #inOneGo: boolean
  #mapping: Mapping | undefined
  #bytes: Uint8Array | undefined
  #closed = false
  #shed = 0

  constructor(
    file: Descriptor,
    capacity: number,
    space: AllocatedSpace | undefined,
    mmap: MmapModule | undefined,
    inOneGo = false,
  ) {
    this.#file = file
    this.capacity = capacity
    this.#space = space
    this.#mmap = mmap
    this.#inOneGo = inOneGo
  }

  get path(): string {
    return this.#file.path
  }

  get bytes(): Uint8Array {
    return this.#bytes ?? this.load()
  }

  get allocated(): number {
    return this.#space?.end ?? 0
  }

  load(): Uint8Array {
    if (this.#closed) throw new CaskadeError('CASKADE_CLOSED', `the bytes of ${this.path} are gone: it is closed`)
    const mode = this.#space === undefined ? 'read' : 'write'
    this.#mapping = this.#mmap && mapWhole(this.#mmap, this.#file, this.capacity, mode)
    // Written front to back: reading ahead of the writer would only stall it, for zeros.
    if (mode === 'write') this.#mapping?.advise('random')
    // Its pages stay in the cache as they were made, for the reads that follow.
    if (this.#inOneGo) this.#mapping?.advise('huge-pages')
    this.#bytes = this.#mapping?.bytes ?? attempt('buffer', this.path, () => new Uint8Array(this.capacity))
    if (this.#mapping === undefined && mode === 'read') this.#file.read(this.#bytes, 0, this.capacity, 0)
    return this.#bytes
  }

  allocate(end: number): void {
    const space = this.#writable()
    this.#file.checkWritable()
    space.allocate(end)
  }

  /** Mapped, the page cache has every store at once. */
  commit(start: number, end: number): void {
    this.#writable()
    if (this.#mapping === undefined) this.#file.write(this.bytes, start, end, start)
    else this.#file.checkWritable()
  }

  #writable(): AllocatedSpace {
    if (this.#space !== undefined) return this.#space
    throw new TypeError(`${this.path} was opened for reading: commit to a segment made by createSegment`)
  }

  sync(): void {
    this.#writeBack()
    this.#file.sync()
  }

  async syncLater(): Promise<void> {
    this.#writeBack()
    await this.#file.syncLater()
  }

  shed(end: number): boolean {
    if (this.#mapping === undefined || end - this.#shed <= shedBytes) return false
    try {
      this.#mapping.advise('dont-need', this.#shed, shedBytes)
    } catch {
      // A process that locks its memory keeps it until `close`.
      return false
    }
    this.#shed += shedBytes
    return true
  }

  close(): void {
    this.#closed = true
    this.#bytes = undefined
    this.#mapping?.close()
    this.#mapping = undefined
    this.#file.close()
  }

  /** On Linux fdatasync covers what was stored through mappings; POSIX promises that only of msync. */
  #writeBack(): void {
    if (process.platform === 'linux') return
    try {
      this.#mapping?.sync()
    } catch (error) {
      throw this.#file.poison(error)
    }
  }
}
