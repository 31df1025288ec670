import { checkDescriptor, checkRange, regularFileSize } from './call-arguments.js'
import { errnoName, MmapError } from './mmap-error.js'
import { native } from './native.js'

export type LockOperation = 'exclusive' | 'shared' | 'unlock'

/** LOCK_EX and LOCK_SH with LOCK_NB, and LOCK_UN. */
const operations: Record<LockOperation, number> = { exclusive: 2 | 4, shared: 1 | 4, unlock: 8 }

/**
 * Takes, converts or releases the advisory lock of an open file, without waiting: `EWOULDBLOCK` when another open file
 * holds it, be it of another process or of this one. The kernel releases it when the last copy of the descriptor is
 * closed, so also when the process dies, and never before: a stopped process keeps its lock.
 */
export function flock(fd: number, operation: LockOperation): void {
  const calls = native('flock')
  const number = operations[operation]
  if (number === undefined) {
    throw new MmapError(
      'flock',
      'EINVAL',
      `the operation is exclusive, shared or unlock, not ${JSON.stringify(operation)}`,
    )
  }
  checkDescriptor('flock', fd)
  if (calls.flock(fd, number) === -1) {
    throw new MmapError('flock', errnoName(calls.errno()), `cannot lock descriptor ${fd} (${operation})`)
  }
}

/**
 * Really allocates `[offset, offset + length)` of a file, growing it if needed; new bytes are zeros, existing ones stay.
 * After it, writes there do not fail for want of space, through a mapping or otherwise. Throws `ENOSPC`, and `EOPNOTSUPP`
 * where the file system cannot do it: then write zeros.
 */
export function fallocate(fd: number, offset: number, length: number): void {
  const calls = native('fallocate')
  const fileSize = regularFileSize('fallocate', fd)
  checkRange('fallocate', offset, length, Number.MAX_SAFE_INTEGER, 'largest file')
  if (length === 0) throw new MmapError('fallocate', 'EINVAL', 'an empty range cannot be allocated')
  while (calls.fallocate(fd, offset, length, fileSize) === -1) {
    const code = errnoName(calls.errno())
    if (code === 'EINTR') continue
    throw new MmapError('fallocate', code, `cannot allocate ${length} bytes at offset ${offset} of descriptor ${fd}`)
  }
}
