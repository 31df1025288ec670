import { basename } from 'node:path'
import type { AppendFile, LockMode, ReadFile, SegmentFile, Storage, StorageLock } from '../io/storage.js'
import { storageError } from '../io/storage-error.js'
import { type DataFile, parseFileName } from '../lsm/file-names.js'

export type FaultOperation =
  | 'makeDirectory'
  | 'removeDirectory'
  | 'list'
  | 'size'
  | 'remove'
  | 'rename'
  | 'link'
  | 'syncDirectory'
  | 'lock'
  | 'create'
  | 'open'
  | 'createSegment'
  | 'resumeSegment'
  | 'openSegment'
  | 'allocate'
  | 'read'
  | 'append'
  | 'commit'
  | 'sync'

export type FileKind = Exclude<DataFile['kind'], 'temporary'> | 'current' | 'other'

export interface FaultCall {
  operation: FaultOperation
  path: string
  kind: FileKind
  /** Number of this call among all, from 1 on. */
  index: number
}

/**
 * `EIO`, `ENOSPC`: the call fails and has done nothing; `short`: half was written, then the disk was full; `flip`: the read
 * succeeds, and one bit of what it gave is wrong.
 */
export type Fault = 'EIO' | 'ENOSPC' | 'short' | 'flip'

/**
 * A storage that fails by rule, after Pebble's errorfs: the test body of the storage port for errors. As a kernel does, it
 * tells of a failed sync once, and lets the next one succeed.
 */
export class FaultStorage implements Storage {
  readonly mapped: boolean
  readonly #inner: Storage
  /** Asked at every call. */
  rule: (call: FaultCall) => Fault | undefined = () => undefined
  calls = 0
  /** Calls that were made to fail. */
  readonly injected: FaultCall[] = []

  constructor(inner: Storage) {
    this.#inner = inner
    this.mapped = inner.mapped
  }

  /** The fault of this call, if any; the ones that are errors are thrown. */
  #enter(operation: FaultOperation, path: string): 'short' | 'flip' | undefined {
    const call = { operation, path, kind: kindOf(path), index: ++this.calls }
    const fault = this.rule(call)
    if (fault === undefined) return undefined
    this.injected.push(call)
    if (fault === 'EIO' || fault === 'ENOSPC') throw failure(operation, path, fault)
    return fault
  }

  makeDirectory(path: string): boolean {
    this.#enter('makeDirectory', path)
    return this.#inner.makeDirectory(path)
  }

  removeDirectory(path: string): void {
    this.#enter('removeDirectory', path)
    this.#inner.removeDirectory(path)
  }

  list(directory: string): string[] {
    this.#enter('list', directory)
    return this.#inner.list(directory)
  }

  size(path: string): number | undefined {
    this.#enter('size', path)
    return this.#inner.size(path)
  }

  remove(path: string): void {
    this.#enter('remove', path)
    this.#inner.remove(path)
  }

  async removeLater(path: string): Promise<void> {
    this.remove(path)
  }

  rename(from: string, to: string): void {
    this.#enter('rename', to)
    this.#inner.rename(from, to)
  }

  link(from: string, to: string): boolean {
    this.#enter('link', to)
    return this.#inner.link(from, to)
  }

  syncFile(path: string): void {
    this.#enter('sync', path)
    this.#inner.syncFile(path)
  }

  syncDirectory(directory: string): void {
    this.#enter('syncDirectory', directory)
    this.#inner.syncDirectory(directory)
  }

  lock(path: string, mode: LockMode): StorageLock {
    this.#enter('lock', path)
    return this.#inner.lock(path, mode)
  }

  create(path: string): AppendFile {
    this.#enter('create', path)
    return this.#appendFile(this.#inner.create(path))
  }

  append(path: string, length: number): AppendFile {
    this.#enter('open', path)
    return this.#appendFile(this.#inner.append(path, length))
  }

  open(path: string, mapped?: boolean): ReadFile {
    this.#enter('open', path)
    const inner = this.#inner.open(path, mapped)
    const enter = () => this.#enter('read', path)
    return {
      path,
      size: inner.size,
      get mapping() {
        return inner.mapping
      },
      read: (target, start, length, offset) => {
        const fault = enter()
        inner.read(target, start, length, offset)
        if (fault === 'flip' && length > 0) target[start + (length >>> 1)]! ^= 0x10
      },
      readLater: async (target, start, length, offset) => {
        const fault = enter()
        await inner.readLater(target, start, length, offset)
        if (fault === 'flip' && length > 0) target[start + (length >>> 1)]! ^= 0x10
      },
      advise: (offset, length, advice) => inner.advise(offset, length, advice),
      close: () => inner.close(),
    }
  }

  createSegment(path: string, capacity: number, allocated?: number): SegmentFile {
    this.#enter('createSegment', path)
    return this.#segmentFile(this.#inner.createSegment(path, capacity, allocated))
  }

  resumeSegment(path: string, allocated: number): SegmentFile {
    this.#enter('resumeSegment', path)
    return this.#segmentFile(this.#inner.resumeSegment(path, allocated))
  }

  openSegment(path: string): SegmentFile {
    this.#enter('openSegment', path)
    return this.#segmentFile(this.#inner.openSegment(path))
  }

  #appendFile(inner: AppendFile): AppendFile {
    const { path } = inner
    return {
      path,
      get length() {
        return inner.length
      },
      append: (bytes) => {
        if (this.#enter('append', path) === 'short') {
          inner.append(bytes.subarray(0, bytes.length >>> 1))
          throw failure('append', path, 'ENOSPC')
        }
        inner.append(bytes)
      },
      ...this.#syncAndClose(inner),
    }
  }

  #segmentFile(inner: SegmentFile): SegmentFile {
    const { path, capacity } = inner
    return {
      path,
      capacity,
      get bytes() {
        return inner.bytes
      },
      get allocated() {
        return inner.allocated
      },
      allocate: (end) => {
        this.#enter('allocate', path)
        inner.allocate(end)
      },
      commit: (start, end) => {
        if (this.#enter('commit', path) === 'short') {
          inner.commit(start, start + ((end - start) >>> 1))
          throw failure('commit', path, 'ENOSPC')
        }
        inner.commit(start, end)
      },
      shed: (end) => inner.shed(end),
      ...this.#syncAndClose(inner),
    }
  }

  #syncAndClose(inner: AppendFile | SegmentFile) {
    return {
      sync: () => {
        this.#enter('sync', inner.path)
        inner.sync()
      },
      syncLater: async () => {
        this.#enter('sync', inner.path)
        await inner.syncLater()
      },
      close: () => inner.close(),
    }
  }
}

function kindOf(path: string): FileKind {
  const kind = parseFileName(basename(path))?.kind
  if (basename(path).startsWith('CURRENT')) return 'current'
  return kind === undefined || kind === 'temporary' ? 'other' : kind
}

function failure(operation: string, path: string, code: 'EIO' | 'ENOSPC'): Error {
  return storageError(operation, path, Object.assign(new Error(`${code}: injected`), { code }))
}
