import { createRequire } from 'node:module'
import { detach } from './detach.js'
import { MmapError } from './mmap-error.js'

/**
 * The few libc calls this package makes. Addresses are plain numbers: user space ends below 2^48 on every platform served,
 * and a number crosses koffi faster than a pointer object. Calls return -1 on failure, then `errno()` tells why.
 */
export interface Native {
  mmap(address: number, length: number, protection: number, flags: number, fd: number, offset: number): number
  munmap(address: number, length: number): number
  madvise(address: number, length: number, advice: number): number
  msync(address: number, length: number, flags: number): number
  mincore(address: number, length: number, residency: Uint8Array): number
  flock(fd: number, operation: number): number
  fallocate(fd: number, offset: number, length: number, fileSize: number): number
  errno(): number
  /** An ArrayBuffer over memory that it does not own. */
  view(address: number, length: number): ArrayBuffer
  readonly pageSize: number
  readonly constants: PlatformConstants
}

interface PlatformConstants {
  readonly anonymous: number
  readonly noReserve: number
  readonly syncBlocking: number
  /** `_SC_PAGESIZE` */
  readonly pageSizeName: number
}

/** The same on every platform served. */
export const protectionReadWrite = 1 | 2
export const protectionRead = 1
export const mapShared = 0x1
export const mapPrivate = 0x2
export const mapFixed = 0x10
export const syncAsync = 0x1

const platforms: Record<string, PlatformConstants> = {
  linux: { anonymous: 0x20, noReserve: 0x4000, syncBlocking: 0x4, pageSizeName: 30 },
  darwin: { anonymous: 0x1000, noReserve: 0x40, syncBlocking: 0x10, pageSizeName: 29 },
}
/** 64-bit only: there `off_t` and `size_t` have 8 bytes and a mapping of gigabytes has room. */
const architectures = ['x64', 'arm64', 'riscv64', 'loong64', 'ppc64']

const loaded = load()

/** Why nothing can be mapped here, `undefined` where everything works. */
export function unavailableReason(): string | undefined {
  return typeof loaded === 'string' ? loaded : undefined
}

export function native(syscall: string): Native {
  if (typeof loaded === 'string') throw new MmapError(syscall, 'ENOSYS', loaded)
  return loaded
}

function load(): Native | string {
  const constants = platforms[process.platform]
  if (!constants) return `not available on ${process.platform}: only Linux and macOS are supported`
  if (!architectures.includes(process.arch))
    return `not available on ${process.arch}: only 64-bit processors are supported`
  try {
    const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi')
    const calls = bind(koffi, constants)
    return probe(calls)
  } catch (error) {
    const [firstLine] = String(error instanceof Error ? error.message : error).split('\n')
    return `the optional dependency koffi cannot be loaded: ${firstLine}`
  }
}

function bind(koffi: typeof import('koffi'), constants: PlatformConstants): Native {
  const libc = koffi.load(null)
  const pageSize = libc.func('sysconf', 'long', ['int'])(constants.pageSizeName) as number
  return {
    mmap: libc.func('mmap', 'intptr_t', ['intptr_t', 'size_t', 'int', 'int', 'int', 'int64_t']),
    munmap: libc.func('munmap', 'int', ['intptr_t', 'size_t']),
    madvise: libc.func('madvise', 'int', ['intptr_t', 'size_t', 'int']),
    msync: libc.func('msync', 'int', ['intptr_t', 'size_t', 'int']),
    mincore: libc.func('mincore', 'int', ['intptr_t', 'size_t', 'void *']),
    flock: libc.func('flock', 'int', ['int', 'int']),
    fallocate: process.platform === 'linux' ? bindFallocate(libc) : bindPreallocate(libc),
    errno: koffi.errno,
    view: koffi.view,
    pageSize,
    constants,
  }
}

function bindFallocate(libc: import('koffi').LibraryHandle): Native['fallocate'] {
  const fallocate = libc.func('fallocate', 'int', ['int', 'int', 'int64_t', 'int64_t'])
  return (fd, offset, length) => fallocate(fd, 0, offset, length)
}

/** macOS allocates past the end of what is allocated, and leaves the size to the caller. */
function bindPreallocate(libc: import('koffi').LibraryHandle): Native['fallocate'] {
  const fcntl = libc.func('int fcntl(int fd, int command, ...)')
  const ftruncate = libc.func('ftruncate', 'int', ['int', 'int64_t'])
  const preallocate = 42
  return (fd, offset, length, fileSize) => {
    const growth = offset + length - fileSize
    if (growth <= 0) return 0
    // struct fstore: F_ALLOCATEALL, F_PEOFPOSMODE, offset, length, bytes allocated (out)
    const request = Buffer.alloc(32)
    request.writeUInt32LE(4, 0)
    request.writeInt32LE(3, 4)
    request.writeBigInt64LE(BigInt(growth), 16)
    return fcntl(fd, preallocate, 'void *', request) === -1 ? -1 : ftruncate(fd, offset + length)
  }
}

/** One anonymous page, mapped, viewed, detached: some runtimes (Electron, pointer compression) refuse foreign memory. */
function probe(calls: Native): Native | string {
  const { pageSize, constants } = calls
  const address = calls.mmap(0, pageSize, protectionReadWrite, mapPrivate | constants.anonymous, -1, 0)
  if (address === -1) return 'this process may not map memory'
  let buffer: ArrayBuffer
  try {
    buffer = calls.view(address, pageSize)
  } catch (error) {
    calls.munmap(address, pageSize)
    throw error
  }
  // On failure the page is kept: `buffer` still reaches it.
  if (!detach(buffer)) return 'this runtime cannot detach an ArrayBuffer'
  calls.munmap(address, pageSize)
  return calls
}
