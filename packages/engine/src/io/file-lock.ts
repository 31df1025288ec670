import { spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { dirname } from 'node:path'
import { CaskadeError, LockedError } from '../errors.js'
import { Descriptor } from './descriptor.js'
import type { MmapModule } from './load-mmap.js'
import type { LockMode, StorageLock } from './storage.js'
import { attempt } from './storage-error.js'

/** Takes a flock(2) on an open file: `false` if another open file has it, `undefined` if it cannot be tried here. */
export type LockTaker = (fd: number, mode: LockMode) => boolean | undefined

/**
 * Locks a file by flock(2), which the kernel gives back when the process dies and never before: a stopped process keeps
 * it. It belongs to the open file, so that a second open in the same process, or one of its workers, is refused too.
 *
 * Node cannot call flock, but the lock lives on the open file that a child inherits: where FFI is missing, the `flock`
 * command (util-linux, busybox) or perl takes the very same lock on our descriptor and exits; we keep it. Rejected: an
 * abstract unix socket (apart per network namespace, blind to flock), files with a pid or a time stamp (a stopped owner
 * loses them, two finders of a stale one both win).
 *
 * The file holds the owner's pid, for messages only, and is never removed: a lock on a removed name excludes nobody.
 */
export function lockFile(path: string, mode: LockMode, takers: readonly LockTaker[]): StorageLock {
  const { O_RDWR, O_RDONLY, O_CREAT } = fs.constants
  if (mode === 'shared' && !fs.existsSync(path)) return { release: () => {} }
  const file = new Descriptor('lock', path, mode === 'shared' ? O_RDONLY : O_RDWR | O_CREAT)
  try {
    if (!take(file, mode, takers)) throw new LockedError(dirname(path), readHolder(file))
    if (mode === 'exclusive') writeHolder(file, `${process.pid}\n`)
  } catch (error) {
    file.close()
    throw error
  }
  let held = true
  return {
    release: () => {
      // Without a note: whoever is refused later, by readers, must not be told of this process.
      if (held && mode === 'exclusive') writeHolder(file, '')
      held = false
      file.close()
    },
  }
}

export function lockTakers(mmap: MmapModule | undefined): LockTaker[] {
  return mmap ? [takeByCall(mmap)] : [takeByFlockCommand, takeByPerl]
}

function takeByCall(mmap: MmapModule): LockTaker {
  return (fd, mode) => {
    try {
      mmap.flock(fd, mode)
      return true
    } catch (error) {
      if (error instanceof mmap.MmapError && error.code === 'EWOULDBLOCK') return false
      throw error
    }
  }
}

const perlProgram =
  'use Fcntl ":flock"; use Errno; open(F, "<&=", 3) and flock(F, ($ARGV[0] eq "shared" ? LOCK_SH : LOCK_EX) | LOCK_NB) and exit 0;' +
  'exit 1 if $!{EWOULDBLOCK}; print STDERR $!; exit 2'

/** The command gets our open file as its descriptor 3, and exits with 0 (locked), 1 (held elsewhere) or something else. */
function takeByCommand(command: string, commandArguments: (mode: LockMode) => string[]): LockTaker {
  return (fd, mode) => {
    const { error, status, stderr } = spawnSync(command, commandArguments(mode), {
      stdio: ['ignore', 'ignore', 'pipe', fd],
      encoding: 'utf8',
    })
    if ((error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT') return undefined
    if (error) throw error
    if (status === 0) return true
    if (status === 1) return false
    throw new Error(`the command ${command} failed: ${stderr.trim()}`)
  }
}

export const takeByFlockCommand = takeByCommand('flock', (mode) => [mode === 'shared' ? '-s' : '-x', '-n', '3'])
export const takeByPerl = takeByCommand('perl', (mode) => ['-e', perlProgram, mode])

function take(file: Descriptor, mode: LockMode, takers: readonly LockTaker[]): boolean {
  for (const taker of takers) {
    const taken = attempt('lock', file.path, () => taker(file.fd, mode))
    if (taken !== undefined) return taken
  }
  throw new CaskadeError(
    'CASKADE_IO',
    `cannot lock ${file.path}: install koffi (an optional dependency), or one of the commands flock and perl`,
  )
}

function writeHolder(file: Descriptor, note: string): void {
  try {
    file.truncate(0)
    const line = Buffer.from(note)
    file.write(line, 0, line.length, 0)
  } catch {
    // A full disk: the lock holds without its note, and what is stored can still be read.
  }
}

/** `undefined` when the owner has not written it yet, or is no process that this one can see. */
function readHolder(file: Descriptor): number | undefined {
  const line = Buffer.alloc(Math.min(file.size(), 32))
  file.read(line, 0, line.length, 0)
  const pid = Number.parseInt(line.toString('latin1'), 10)
  return pid > 0 && isAlive(pid) ? pid : undefined
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
