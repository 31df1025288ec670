/**
 * Everything the engine asks of a file system, as a contract with several bodies: Node's files (mapped or not) in
 * production, and in tests one that forgets what was not synced and one that fails by rule.
 *
 * Every failure surfaces as a `CaskadeError` that names the file: ENOSPC and EDQUOT as `CASKADE_DISK_FULL`, the rest as
 * `CASKADE_IO`. Short reads and writes are never returned: they loop, or throw. Calls are synchronous unless they wait for
 * the disk; workers use the same contract.
 */
export interface Storage {
  /** Files are mapped; otherwise read and written with pread and pwrite, with the same results. */
  readonly mapped: boolean
  /** Creates the directory (mode 0700) and its parents, their names durable. False: it exists. */
  makeDirectory(path: string): boolean
  /** Fine if there is none, and leaves one that is not empty. */
  removeDirectory(path: string): void
  /** Names in a directory, sorted. */
  list(directory: string): string[]
  /** Bytes of a file, `undefined` when there is none. */
  size(path: string): number | undefined
  /** Fine if there is none. */
  remove(path: string): void
  /** The same, off this thread: a large file takes the kernel some milliseconds. */
  removeLater(path: string): Promise<void>
  rename(from: string, to: string): void
  /**
   * A second name for a file: what is in it is never copied. False: these two names cannot share one (another file system,
   * or one without links). `to` must not exist.
   */
  link(from: string, to: string): boolean
  /** fdatasync of what was written to a file, by whoever has it open. Fine if there is none. */
  syncFile(path: string): void
  /** After it, creations, renames and removals in the directory survive a power cut. */
  syncDirectory(directory: string): void
  /**
   * Takes the lock that the kernel releases with the process; throws `LockedError` with the holder's pid. A `shared` one
   * keeps out exclusive ones only, and changes nothing: where there is no lock file, nothing is locked.
   */
  lock(path: string, mode: LockMode): StorageLock
  /** Creates a file (mode 0600; it must not exist) to be written once, front to back. */
  create(path: string): AppendFile
  /** Opens a whole file for appending after its first `length` bytes; what follows them is cut off. */
  append(path: string, length: number): AppendFile
  /** Opens a file that no longer changes; `mapped` (default true) where the storage maps files. */
  open(path: string, mapped?: boolean): ReadFile
  /**
   * Creates a segment of `capacity` bytes (zeros) whose first `allocated` ones, or more, are really allocated; without it all are, and it is to be
   * written in one go and synced once (else a sync of huge pages would write more than has changed). A full disk shows here and in `SegmentFile.allocate`, never as SIGBUS.
   */
  createSegment(path: string, capacity: number, allocated?: number): SegmentFile
  /** Opens for writing a segment that was created so, by any thread. What it holds already may not show in `bytes`. */
  resumeSegment(path: string, allocated: number): SegmentFile
  /** Opens an existing segment for reading at its full size, for recovery. */
  openSegment(path: string): SegmentFile
}

export type LockMode = 'exclusive' | 'shared'

export interface StorageLock {
  release(): void
}

export interface AppendFile {
  readonly path: string
  readonly length: number
  append(bytes: Uint8Array): void
  /** fdatasync on this very descriptor; blocks. Errors are reported once: the caller must not retry. */
  sync(): void
  /** The same, off this thread. */
  syncLater(): Promise<void>
  close(): void
}

export interface ReadFile {
  readonly path: string
  readonly size: number
  /** The whole file, when mapped: valid until `close`, and never to be handed to a caller of the engine. */
  readonly mapping: Uint8Array | undefined
  /** Copies `length` bytes from `offset` to `target[start]`; throws when the file is shorter. */
  read(target: Uint8Array, start: number, length: number, offset: number): void
  /** The same, off this thread. */
  readLater(target: Uint8Array, start: number, length: number, offset: number): Promise<void>
  /** Tells the kernel what comes next; does nothing where it cannot. */
  advise(offset: number, length: number, advice: 'will-need' | 'random' | 'sequential' | 'dont-need'): void
  close(): void
}

/** The active part of the log: a buffer whose committed bytes survive the death of the process. */
export interface SegmentFile {
  readonly path: string
  readonly capacity: number
  /** `capacity` bytes: the mapping itself, or a buffer that `commit` writes from. Valid until `close`. */
  readonly bytes: Uint8Array
  /** `bytes` may be written to before it: there is space on the disk. */
  readonly allocated: number
  /** Raises `allocated` to at least `end`, which is at most `capacity`. A full disk throws, and nothing has changed. */
  allocate(end: number): void
  /** From its return on, `bytes[start, end)` survives the death of the process: nothing to do when mapped, else a pwrite. */
  commit(start: number, end: number): void
  /** fdatasync of everything committed, off this thread. Errors are reported once: the caller must not retry. */
  syncLater(): Promise<void>
  /** The same, blocking. */
  sync(): void
  /**
   * Gives back some of the memory of `bytes[0, end)`, which is complete and about to be closed: the kernel takes 0.1 ms to
   * unmap a MiB that was written page by page. Who reads it meanwhile has it from the page cache. False: what is left is for `close`.
   */
  shed(end: number): boolean
  close(): void
}
