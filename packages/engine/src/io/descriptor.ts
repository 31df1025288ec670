import fs from 'node:fs'
import { CaskadeError } from '../errors.js'
import { attempt, storageError } from './storage-error.js'

/** Node refuses counts above 2^31 - 1, and Linux moves at most 2^31 - 4096 bytes in a call. */
const bytesPerCallMax = 2 ** 30

/**
 * An open file whose reads and writes are whole or throw, and which is never trusted again once a sync has failed: the
 * kernel reports a lost write once, marks the pages clean, and lets the next sync succeed.
 */
export class Descriptor {
  readonly path: string
  readonly fd: number
  #open = true
  #syncFailure: CaskadeError | undefined
  /** Settles when every `syncLater` so far has; one runs at a time, so that a failure reaches all that come after it. */
  #syncing: Promise<void> = Promise.resolve()
  /** Syncs and reads that run off this thread. */
  #pending = 0

  /** `flags` as of open(2); a file that is created has mode 0600. A symbolic link is refused. */
  constructor(operation: string, path: string, flags: number) {
    this.path = path
    this.fd = attempt(operation, path, () => fs.openSync(path, flags | (fs.constants.O_NOFOLLOW ?? 0), 0o600))
  }

  /** Throws unless what is written may still be trusted to reach the disk. */
  checkWritable(): void {
    this.#check('write')
  }

  size(): number {
    return attempt('examine', this.path, () => fs.fstatSync(this.fd).size)
  }

  /** Writes `bytes[start, end)` at `position` of the file. On a throw some of it may be there. */
  write(bytes: Uint8Array, start: number, end: number, position: number): void {
    this.checkWritable()
    try {
      for (let done = start; done < end; ) {
        const length = Math.min(end - done, bytesPerCallMax)
        const written = fs.writeSync(this.fd, bytes, done, length, position + done - start)
        if (written === 0) throw new Error(`the system wrote 0 of ${length} bytes`)
        done += written
      }
    } catch (error) {
      throw storageError('write', this.path, error)
    }
  }

  /** Fills `target[start, start + length)` from `position` of the file. */
  read(target: Uint8Array, start: number, length: number, position: number): void {
    this.#check('read')
    try {
      for (let done = 0; done < length; ) {
        const wanted = Math.min(length - done, bytesPerCallMax)
        const count = fs.readSync(this.fd, target, start + done, wanted, position + done)
        if (count === 0) throw endOfFile(this.path, position, length, position + done)
        done += count
      }
    } catch (error) {
      throw storageError('read', this.path, error)
    }
  }

  /** As `read`, off this thread. */
  async readLater(target: Uint8Array, start: number, length: number, position: number): Promise<void> {
    this.#check('read')
    this.#pending++
    try {
      for (let done = 0; done < length; ) {
        const count = await this.#readOnce(target, start + done, length - done, position + done)
        if (count === 0) throw endOfFile(this.path, position, length, position + done)
        done += count
      }
    } catch (error) {
      throw storageError('read', this.path, error)
    } finally {
      this.#settle()
    }
  }

  #readOnce(target: Uint8Array, start: number, length: number, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const wanted = Math.min(length, bytesPerCallMax)
      fs.read(this.fd, target, start, wanted, position, (error, count) => (error ? reject(error) : resolve(count)))
    })
  }

  truncate(length: number): void {
    this.#check('truncate')
    attempt('truncate', this.path, () => fs.ftruncateSync(this.fd, length))
  }

  /** Do not call while a `syncLater` is pending: the kernel tells only one of two syncs of a lost write. */
  sync(): void {
    this.#check('sync')
    try {
      fs.fdatasyncSync(this.fd)
    } catch (error) {
      throw this.poison(error)
    }
  }

  syncLater(): Promise<void> {
    if (!this.#open) return Promise.reject(this.#closedError('sync'))
    this.#pending++
    const done = this.#syncing.then(() => this.#syncOnce())
    this.#syncing = done
      .catch(() => {})
      .finally(() => {
        this.#settle()
      })
    return done
  }

  #settle(): void {
    this.#pending--
    if (!this.#open && this.#pending === 0) fs.close(this.fd, () => {})
  }

  /** Fine to call twice. Pending syncs and reads still run to their end on the open file. */
  close(): void {
    if (!this.#open) return
    this.#open = false
    // Closed under a running call, the number could be another file's by the time the kernel looks at it.
    if (this.#pending === 0) attempt('close', this.path, () => fs.closeSync(this.fd))
  }

  #syncOnce(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#syncFailure) reject(this.#syncFailure)
      else fs.fdatasync(this.fd, (error) => (error ? reject(this.poison(error)) : resolve()))
    })
  }

  /** Nothing more is written or synced; returns the error that says so from now on. */
  poison(cause: unknown): CaskadeError {
    this.#syncFailure ??= storageError('sync', this.path, cause)
    return this.#syncFailure
  }

  #check(operation: string): void {
    if (!this.#open) throw this.#closedError(operation)
    if (this.#syncFailure && operation !== 'read') throw this.#syncFailure
  }

  #closedError(operation: string): CaskadeError {
    return new CaskadeError('CASKADE_CLOSED', `cannot ${operation} ${this.path}: it is closed`)
  }
}

export function endOfFile(path: string, offset: number, length: number, size: number): CaskadeError {
  return new CaskadeError(
    'CASKADE_IO',
    `cannot read ${path}: ${length} bytes at offset ${offset} were expected, but the file ends at ${size}: it was cut, restore it`,
  )
}
