import { constants as bufferConstants } from 'node:buffer'
import { checkRange, regularFileSize } from './call-arguments.js'
import { detach } from './detach.js'
import { errnoName, MmapError } from './mmap-error.js'
import {
  mapFixed,
  mapPrivate,
  mapShared,
  type Native,
  native,
  protectionRead,
  protectionReadWrite,
  syncAsync,
} from './native.js'

/**
 * What the kernel may assume of coming accesses; `will-need` starts reading in the background, `dont-need` drops the pages,
 * `huge-pages` asks for pages of 2 MiB, also of what is written through the mapping, where the system can (Linux, and a file system with large
 * folios: ext4 from 6.16 on, XFS), and is ignored elsewhere.
 */
export type Advice = 'normal' | 'random' | 'sequential' | 'will-need' | 'dont-need' | 'huge-pages'

const adviceNumbers: Record<Advice, number> = {
  normal: 0,
  random: 1,
  sequential: 2,
  'will-need': 3,
  'dont-need': 4,
  'huge-pages': 14,
}

export interface MapOptions {
  /**
   * `read` (default): a stray write into `bytes` changes a private copy of that page, never the file.
   * `write`: shared; what is written is in the file at once, for every process, and survives this one. Needs a
   * descriptor opened for reading and writing.
   */
  access?: 'read' | 'write'
  /** First byte of the file, default 0; need not be a multiple of the page size. */
  offset?: number
  /** Bytes, at least 1; default: to the end of the file. May not reach past it. */
  length?: number
}

/** A mapped range of a file. The descriptor may be closed at once; the mapping lives until `close`. */
export class Mapping implements Disposable {
  readonly access: 'read' | 'write'
  readonly length: number
  readonly #calls: Native
  /** Page-aligned start, and bytes from there to the end of the range. */
  readonly #base: number
  readonly #extent: number
  readonly #buffer: ArrayBuffer
  #bytes: Uint8Array | undefined

  /** @internal Use `map`. */
  constructor(calls: Native, base: number, skip: number, length: number, access: 'read' | 'write') {
    this.#calls = calls
    this.#base = base
    this.#extent = skip + length
    this.length = length
    this.access = access
    this.#buffer = calls.view(base + skip, length)
    this.#bytes = new Uint8Array(this.#buffer)
  }

  /** The mapped memory itself. After `close` this throws, and arrays taken from it before have length 0. */
  get bytes(): Uint8Array {
    if (!this.#bytes) throw closedError('bytes')
    return this.#bytes
  }

  get closed(): boolean {
    return this.#bytes === undefined
  }

  /** Advises about `[start, start + length)`, widened to whole pages. Costs one system call; returns before any I/O ends. */
  advise(advice: Advice, start = 0, length = this.length - start): void {
    const number = adviceNumbers[advice]
    if (number === undefined) throw new MmapError('madvise', 'EINVAL', `unknown advice ${JSON.stringify(advice)}`)
    const [address, extent] = this.#pages('madvise', start, length)
    if (advice === 'huge-pages') {
      if (extent > 0 && process.platform === 'linux') this.#calls.madvise(address, extent, number)
    } else if (extent > 0 && this.#calls.madvise(address, extent, number) === -1) throw this.#failure('madvise')
  }

  /**
   * Writes the changed pages of `[start, start + length)` to the file. By default it blocks until the disk has them;
   * `background` only starts it. Does nothing for `read` access.
   */
  sync(start = 0, length = this.length - start, options?: { background?: boolean }): void {
    const [address, extent] = this.#pages('msync', start, length)
    const flags = options?.background ? syncAsync : this.#calls.constants.syncBlocking
    if (extent > 0 && this.#calls.msync(address, extent, flags) === -1) throw this.#failure('msync')
  }

  /** How many pages of `[start, start + length)`, widened to whole pages, are in memory, out of how many. */
  resident(start = 0, length = this.length - start): { residentPages: number; pages: number } {
    const [address, extent] = this.#pages('mincore', start, length)
    const residency = new Uint8Array(Math.ceil(extent / this.#calls.pageSize))
    if (extent > 0 && this.#calls.mincore(address, extent, residency) === -1) throw this.#failure('mincore')
    let residentPages = 0
    for (const page of residency) residentPages += page & 1
    return { residentPages, pages: residency.length }
  }

  /**
   * Unmaps, after making every view of `bytes` zero-length. Fine to call twice. Do not close while an asynchronous
   * operation of Node (`fs.write`, `zlib.deflate`) still works on `bytes` in another thread.
   */
  close(): void {
    if (!this.#bytes) return
    this.#bytes = undefined
    // Length 0 already: somebody transferred the buffer, and a live one somewhere else still reaches the memory.
    const moved = this.#buffer.byteLength === 0
    if (!moved && detach(this.#buffer)) this.#calls.munmap(this.#base, this.#extent)
    else this.#replaceByZeros()
  }

  [Symbol.dispose](): void {
    this.close()
  }

  /** Lets go of the file but keeps the addresses taken, so that a view out of our reach sees zeros instead of a fault. */
  #replaceByZeros(): void {
    const { anonymous, noReserve } = this.#calls.constants
    const flags = mapPrivate | mapFixed | anonymous | noReserve
    this.#calls.mmap(this.#base, this.#extent, protectionReadWrite, flags, -1, 0)
  }

  #pages(syscall: string, start: number, length: number): [address: number, extent: number] {
    if (!this.#bytes) throw closedError(syscall)
    checkRange(syscall, start, length, this.length, 'mapping')
    const { pageSize } = this.#calls
    const first = this.#base + this.#extent - this.length + start
    const address = first - (first % pageSize)
    return [address, length === 0 ? 0 : first + length - address]
  }

  #failure(syscall: string): MmapError {
    return new MmapError(syscall, errnoName(this.#calls.errno()), `failed on a mapping of ${this.length} bytes`)
  }
}

/**
 * Maps a range of a regular file. Throws `MmapError`: `EINVAL` for an empty range or one past the end of the file (touching
 * such memory would be a SIGBUS), `EBADF`, `EACCES` when the descriptor's mode does not allow `access`, `ENODEV` for what is
 * not a regular file, `ENOMEM` when the process has too many mappings or addresses.
 */
export function map(fd: number, options: MapOptions = {}): Mapping {
  const calls = native('mmap')
  const { access = 'read', offset = 0 } = options
  if (access !== 'read' && access !== 'write') {
    throw new MmapError('mmap', 'EINVAL', `access is 'read' or 'write', not ${JSON.stringify(access)}`)
  }
  const fileSize = regularFileSize('mmap', fd)
  const length = options.length ?? fileSize - offset
  checkRange('mmap', offset, length, fileSize, 'file')
  if (length === 0)
    throw new MmapError('mmap', 'EINVAL', `an empty range cannot be mapped (the file has ${fileSize} bytes)`)
  if (length > bufferConstants.MAX_LENGTH) {
    throw new MmapError(
      'mmap',
      'EOVERFLOW',
      `${length} bytes exceed this Node's largest array (${bufferConstants.MAX_LENGTH})`,
    )
  }
  const skip = offset % calls.pageSize
  const base = mapPages(calls, fd, offset - skip, skip + length, access)
  try {
    return new Mapping(calls, base, skip, length, access)
  } catch (error) {
    // No view was made.
    calls.munmap(base, skip + length)
    throw error
  }
}

function mapPages(calls: Native, fd: number, offset: number, length: number, access: 'read' | 'write'): number {
  let base: number
  if (access === 'write') {
    base = calls.mmap(0, length, protectionReadWrite, mapShared, fd, offset)
  } else {
    // Private and writable rather than read-only: a stray write is then a wrong byte in this process, not its death.
    base = calls.mmap(0, length, protectionReadWrite, mapPrivate | calls.constants.noReserve, fd, offset)
    // Writable memory may be rationed (vm.overcommit_memory=2, ulimit -d); read-only memory is not.
    if (base === -1 && errnoName(calls.errno()) === 'ENOMEM') {
      base = calls.mmap(0, length, protectionRead, mapShared, fd, offset)
    }
  }
  if (base !== -1) return base
  const code = errnoName(calls.errno())
  throw new MmapError('mmap', code, `cannot map ${length} bytes of descriptor ${fd} for ${access}${hints[code] ?? ''}`)
}

const hints: Record<string, string> = {
  EACCES: ": open the file for reading ('r') or, to write, for both ('r+')",
  ENOMEM: ': too many mappings (vm.max_map_count) or no address space left',
}

function closedError(what: string): MmapError {
  return new MmapError(what, 'EBADF', 'the mapping is closed')
}
