import { unavailableReason } from './native.js'

export { fallocate, flock, type LockOperation } from './file-calls.js'
export { type Advice, type MapOptions, type Mapping, map } from './mapping.js'
export { MmapError } from './mmap-error.js'
export { unavailableReason } from './native.js'

/** Whether files can be mapped here; if not, `unavailableReason()` says why, and every call throws `ENOSYS`. */
export function available(): boolean {
  return unavailableReason() === undefined
}
