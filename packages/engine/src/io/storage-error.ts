import { CaskadeError } from '../errors.js'

const adviceByCode: Record<string, string> = {
  ENOSPC: 'free some space on its disk; what is stored stays readable',
  EDQUOT: 'free some space or raise the disk quota of this user; what is stored stays readable',
  EMFILE: 'raise the limit of open files of this process (ulimit -n)',
  ENFILE: 'raise the limit of open files of the machine (fs.file-max)',
  EACCES: 'check its owner and permissions',
  EPERM: 'check its owner, permissions and attributes',
  EROFS: 'its file system is mounted read-only: remount it writable, or open another directory',
  EEXIST: 'a file of this name was not expected: find out who made it and move it away',
  ENOENT: 'it or its directory was removed or never made: restore it from a backup if it should be there',
  ELOOP: 'it is a symbolic link where a file was expected: move it away',
  EIO: 'the device failed: look at the kernel log, then check the disk',
}

/** What a failed system call on a file becomes; the original is the `cause`. A `CaskadeError` passes through. */
export function storageError(operation: string, path: string, cause: unknown): CaskadeError {
  if (cause instanceof CaskadeError) return cause
  const { code = '', message = String(cause) } = cause as NodeJS.ErrnoException
  const full = code === 'ENOSPC' || code === 'EDQUOT'
  const advice = adviceByCode[code]
  return new CaskadeError(
    full ? 'CASKADE_DISK_FULL' : 'CASKADE_IO',
    `cannot ${operation} ${path}: ${message}${advice ? `; ${advice}` : ''}`,
    { cause },
  )
}

/** Runs one operation on a file; its failure becomes a `CaskadeError`. */
export function attempt<T>(operation: string, path: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw storageError(operation, path, error)
  }
}
