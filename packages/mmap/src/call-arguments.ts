import { fstatSync, type Stats } from 'node:fs'
import { MmapError } from './mmap-error.js'

export function checkDescriptor(syscall: string, fd: number): void {
  if (Number.isInteger(fd) && fd >= 0 && fd < 2 ** 31) return
  throw new MmapError(syscall, 'EBADF', `${fd} is not a file descriptor`)
}

/** Size of the regular file behind a descriptor; `MmapError` names what else it is. */
export function regularFileSize(syscall: string, fd: number): number {
  checkDescriptor(syscall, fd)
  let stat: Stats
  try {
    stat = fstatSync(fd)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EBADF') throw error
    throw new MmapError(syscall, 'EBADF', `descriptor ${fd} is not open`)
  }
  if (!stat.isFile()) throw new MmapError(syscall, 'ENODEV', `descriptor ${fd} is not a regular file`)
  return stat.size
}

export function checkRange(syscall: string, start: number, length: number, end: number, of: string): void {
  if (Number.isSafeInteger(start) && Number.isSafeInteger(length) && start >= 0 && length >= 0 && start + length <= end)
    return
  throw new MmapError(
    syscall,
    'EINVAL',
    `the range of ${length} bytes at offset ${start} is not within the ${of} of ${end} bytes`,
  )
}
