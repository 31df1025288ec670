import os from 'node:os'

/** A failed call, shaped like Node's own system errors: `code` is the errno's name, `errno` its negated number. */
export class MmapError extends Error {
  override readonly name = 'MmapError'
  readonly code: string
  readonly errno: number
  readonly syscall: string

  constructor(syscall: string, code: string, what: string) {
    super(`${syscall}: ${code}: ${what}`)
    this.code = code
    this.errno = -(errnoByName[code] ?? 0)
    this.syscall = syscall
  }
}

const errnoByName: Record<string, number> = os.constants.errno
const nameByErrno = new Map(Object.entries(errnoByName).map(([name, errno]) => [errno, name]))

/** `EWOULDBLOCK` and `EAGAIN` share a number, as do `EOPNOTSUPP` and `ENOTSUP`: one name is chosen, whatever the order of the table. */
export function errnoName(errno: number): string {
  if (errno === errnoByName.EWOULDBLOCK) return 'EWOULDBLOCK'
  if (errno === errnoByName.EOPNOTSUPP) return 'EOPNOTSUPP'
  return nameByErrno.get(errno) ?? `errno ${errno}`
}
