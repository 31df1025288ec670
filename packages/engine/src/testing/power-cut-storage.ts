import { basename, dirname } from 'node:path'
import { CaskadeError, LockedError } from '../errors.js'
import { endOfFile } from '../io/descriptor.js'
import type { AppendFile, LockMode, ReadFile, SegmentFile, Storage, StorageLock } from '../io/storage.js'
import { storageError } from '../io/storage-error.js'
import { PowerCutFile } from './power-cut-file.js'
import { SeededRandom } from './seeded-random.js'

type Entries = Map<string, PowerCutFile>

/** A change of a directory; until the directory is synced, a power cut may take it back. */
type Change =
  | { type: 'enter'; name: string; file: PowerCutFile }
  | { type: 'remove'; name: string }
  | { type: 'rename'; from: string; to: string; file: PowerCutFile }

function make(entries: Entries, change: Change): void {
  if (change.type === 'rename') entries.delete(change.from)
  if (change.type === 'remove') entries.delete(change.name)
  else entries.set(change.type === 'rename' ? change.to : change.name, change.file)
}

class Directory {
  readonly entries: Entries
  readonly durable: Entries
  readonly pending: Change[] = []

  constructor(entries: Entries = new Map(), durable: Entries = new Map()) {
    this.entries = entries
    this.durable = durable
  }

  change(change: Change): void {
    make(this.entries, change)
    this.pending.push(change)
  }

  sync(): void {
    for (const change of this.pending.splice(0)) make(this.durable, change)
  }
}

export interface PowerCutOptions {
  /** As a storage that maps files: what is stored in a segment's bytes is in its file at once, without `commit`. */
  mapped: boolean
  /** Called after every call that changed something: the moments at which a crash can differ. */
  onChange?: (operation: string, path: string) => void
  /** When a `syncLater` ends: by default in the next microtask. */
  later?: (run: () => void) => void
}

/**
 * Files in memory that know what a sync has made durable, after Pebble's crashable memory file system: the test body of the
 * storage port for crashes. The clones are what the next process finds; the original goes on.
 */
export class PowerCutStorage implements Storage {
  readonly mapped: boolean
  /** Files opened and not yet closed. */
  openFiles = 0
  onChange: (operation: string, path: string) => void
  later: (run: () => void) => void
  readonly #directories: Map<string, Directory>
  /** Paths locked: 0 exclusively, else by so many readers. */
  readonly #locked = new Map<string, number>()

  constructor(options: PowerCutOptions, directories: Map<string, Directory> = new Map()) {
    this.mapped = options.mapped
    this.onChange = options.onChange ?? (() => {})
    this.later = options.later ?? queueMicrotask
    this.#directories = directories
  }

  /** What is left when the process dies now: every file as it reads now. */
  processCrashClone(): PowerCutStorage {
    const clones = new Map<PowerCutFile, PowerCutFile>()
    const cloneOf = (file: PowerCutFile) => {
      const clone = clones.get(file) ?? file.processClone()
      clones.set(file, clone)
      return clone
    }
    const all = (entries: Entries) => new Map([...entries].map(([name, file]) => [name, cloneOf(file)]))
    const directories = new Map<string, Directory>()
    for (const [path, { entries, durable, pending }] of this.#directories) {
      const clone = new Directory(all(entries), all(durable))
      clone.pending.push(
        ...pending.map((change) => (change.type === 'remove' ? change : { ...change, file: cloneOf(change.file) })),
      )
      directories.set(path, clone)
    }
    return new PowerCutStorage({ mapped: this.mapped }, directories)
  }

  /** What is left when the power goes now: each un-synced page and each un-synced name with probability `p`. */
  crashClone(p: number, seed: number): PowerCutStorage {
    const random = new SeededRandom(seed)
    const directories = new Map<string, Directory>()
    const clones = new Map<PowerCutFile, PowerCutFile>()
    const cloneOf = (file: PowerCutFile) => {
      const clone = clones.get(file) ?? file.powerCutClone(p, random)
      clones.set(file, clone)
      return clone
    }
    for (const [path, { durable, pending }] of this.#directories) {
      const left: Entries = new Map(durable)
      for (const change of pending) if (random.chance(p)) make(left, change)
      const files = [...left].map(([name, file]) => [name, cloneOf(file)] as const)
      directories.set(path, new Directory(new Map(files), new Map(files)))
    }
    return new PowerCutStorage({ mapped: this.mapped }, directories)
  }

  /** The bytes of a file, for tests that damage them. */
  contentOf(path: string): Uint8Array {
    return this.#file('read', path).content
  }

  /** Puts a file in place as if it had always been there. */
  place(path: string, content: Uint8Array): void {
    const file = new PowerCutFile(content.slice(), content.slice())
    this.#directory('place', path).entries.set(basename(path), file)
    this.#directory('place', path).durable.set(basename(path), file)
  }

  makeDirectory(path: string): boolean {
    if (this.#directories.has(path)) return false
    // Below a file there is no directory; nor, as on Linux, can one be made in /proc.
    const parent = dirname(path)
    if (parent === '/proc' || this.#directories.get(dirname(parent))?.entries.has(basename(parent)))
      throw storageError('create', path, Object.assign(new Error('ENOTDIR: not a directory'), { code: 'ENOTDIR' }))
    this.#directories.set(path, new Directory())
    this.onChange('makeDirectory', path)
    return true
  }

  removeDirectory(path: string): void {
    if (this.#directories.get(path)?.entries.size !== 0) return
    this.#directories.delete(path)
    this.onChange('removeDirectory', path)
  }

  list(directory: string): string[] {
    return [...this.#directory('list', directory, directory).entries.keys()].sort()
  }

  size(path: string): number | undefined {
    return this.#directory('examine', path).entries.get(basename(path))?.content.length
  }

  remove(path: string): void {
    const directory = this.#directory('remove', path)
    if (!directory.entries.has(basename(path))) return
    directory.change({ type: 'remove', name: basename(path) })
    this.onChange('remove', path)
  }

  async removeLater(path: string): Promise<void> {
    this.remove(path)
  }

  rename(from: string, to: string): void {
    const file = this.#file('rename', from)
    this.#directory('rename', to).change({ type: 'rename', from: basename(from), to: basename(to), file })
    this.onChange('rename', to)
  }

  link(from: string, to: string): boolean {
    const file = this.#file('link', from)
    this.#refuseExisting('link', to)
    this.#directory('link', to).change({ type: 'enter', name: basename(to), file })
    this.onChange('link', to)
    return true
  }

  syncFile(path: string): void {
    if (this.size(path) === undefined) return
    this.#file('sync', path).beginSync()()
    this.onChange('sync', path)
  }

  syncDirectory(directory: string): void {
    this.#directory('sync', directory, directory).sync()
    this.onChange('syncDirectory', directory)
  }

  lock(path: string, mode: LockMode): StorageLock {
    const readers = this.#locked.get(path)
    if (readers !== undefined && (readers === 0 || mode === 'exclusive'))
      throw new LockedError(dirname(path), process.pid)
    this.#locked.set(path, mode === 'exclusive' ? 0 : (readers ?? 0) + 1)
    let held = true
    const release = () => {
      const left = (this.#locked.get(path) ?? 0) - 1
      if (held && left > 0) this.#locked.set(path, left)
      else if (held) this.#locked.delete(path)
      held = false
    }
    return { release }
  }

  create(path: string): AppendFile {
    const file = this.#enter(path)
    this.onChange('create', path)
    return new PowerCutAppendFile(this, path, file, 0)
  }

  append(path: string, length: number): AppendFile {
    const file = this.#file('open', path)
    if (file.content.length < length)
      throw storageError(
        'append to',
        path,
        new Error(`its first ${length} bytes were expected, but it has ${file.content.length}`),
      )
    file.resize(length)
    this.onChange('truncate', path)
    return new PowerCutAppendFile(this, path, file, length)
  }

  open(path: string, mapped = true): ReadFile {
    return new PowerCutReadFile(this, path, this.#file('open', path), mapped && this.mapped)
  }

  createSegment(path: string, capacity: number, allocated = capacity): SegmentFile {
    if (!Number.isSafeInteger(capacity) || capacity < 1)
      throw new RangeError(`capacity must be 1 or more, not ${capacity}`)
    const file = this.#enter(path)
    file.resize(capacity)
    this.onChange('createSegment', path)
    return new PowerCutSegmentFile(this, path, file, this.mapped ? file.content : new Uint8Array(capacity), allocated)
  }

  resumeSegment(path: string, allocated: number): SegmentFile {
    const file = this.#file('open', path)
    const bytes = this.mapped ? file.content : new Uint8Array(file.content.length)
    return new PowerCutSegmentFile(this, path, file, bytes, allocated)
  }

  openSegment(path: string): SegmentFile {
    const file = this.#file('open', path)
    return new PowerCutSegmentFile(this, path, file, this.mapped ? file.content : file.content.slice(), 0)
  }

  #directory(operation: string, path: string, directory = dirname(path)): Directory {
    const found = this.#directories.get(directory)
    if (found === undefined) throw missing(operation, path)
    return found
  }

  #file(operation: string, path: string): PowerCutFile {
    const file = this.#directory(operation, path).entries.get(basename(path))
    if (file === undefined) throw missing(operation, path)
    return file
  }

  #refuseExisting(operation: string, path: string): void {
    if (this.#directory(operation, path).entries.has(basename(path)))
      throw storageError(operation, path, Object.assign(new Error('EEXIST: file already exists'), { code: 'EEXIST' }))
  }

  #enter(path: string): PowerCutFile {
    this.#refuseExisting('create', path)
    const file = new PowerCutFile()
    this.#directory('create', path).change({ type: 'enter', name: basename(path), file })
    return file
  }
}

class OpenFile {
  readonly path: string
  protected readonly storage: PowerCutStorage
  protected readonly file: PowerCutFile
  #open = true

  constructor(storage: PowerCutStorage, path: string, file: PowerCutFile) {
    this.storage = storage
    this.path = path
    this.file = file
    storage.openFiles++
  }

  get isOpen(): boolean {
    return this.#open
  }

  protected check(): void {
    if (!this.#open) throw new CaskadeError('CASKADE_CLOSED', `${this.path} is closed`)
  }

  sync(): void {
    this.check()
    this.file.beginSync()()
    this.storage.onChange('sync', this.path)
  }

  async syncLater(): Promise<void> {
    this.check()
    const finish = this.file.beginSync()
    await new Promise<void>((resolve) => this.storage.later(resolve))
    finish()
    this.storage.onChange('sync', this.path)
  }

  close(): void {
    if (this.#open) this.storage.openFiles--
    this.#open = false
  }
}

class PowerCutAppendFile extends OpenFile implements AppendFile {
  length: number

  constructor(storage: PowerCutStorage, path: string, file: PowerCutFile, length: number) {
    super(storage, path, file)
    this.length = length
  }

  append(bytes: Uint8Array): void {
    this.check()
    this.file.write(bytes, this.length)
    this.length += bytes.length
    this.storage.onChange('append', this.path)
  }
}

class PowerCutReadFile extends OpenFile implements ReadFile {
  readonly #mapped: boolean

  constructor(storage: PowerCutStorage, path: string, file: PowerCutFile, mapped: boolean) {
    super(storage, path, file)
    this.#mapped = mapped
  }

  get size(): number {
    return this.file.content.length
  }

  get mapping(): Uint8Array | undefined {
    return this.isOpen && this.#mapped && this.size > 0 ? this.file.content : undefined
  }

  read(target: Uint8Array, start: number, length: number, offset: number): void {
    this.check()
    if (offset + length > this.size) throw endOfFile(this.path, offset, length, this.size)
    target.set(this.file.content.subarray(offset, offset + length), start)
  }

  async readLater(target: Uint8Array, start: number, length: number, offset: number): Promise<void> {
    await new Promise<void>((resolve) => this.storage.later(resolve))
    this.read(target, start, length, offset)
  }

  advise(): void {}
}

class PowerCutSegmentFile extends OpenFile implements SegmentFile {
  readonly capacity: number
  readonly #bytes: Uint8Array
  /** 0: opened for reading. */
  allocated: number

  constructor(storage: PowerCutStorage, path: string, file: PowerCutFile, bytes: Uint8Array, allocated: number) {
    super(storage, path, file)
    this.capacity = bytes.length
    this.#bytes = bytes
    this.allocated = allocated
  }

  get bytes(): Uint8Array {
    this.check()
    return this.#bytes
  }

  allocate(end: number): void {
    if (this.allocated === 0) throw new TypeError(`${this.path} was opened for reading`)
    this.check()
    this.allocated = Math.max(this.allocated, end)
    this.storage.onChange('allocate', this.path)
  }

  commit(start: number, end: number): void {
    if (this.allocated === 0) throw new TypeError(`${this.path} was opened for reading`)
    this.check()
    if (end > this.allocated)
      throw new Error(`${this.path} was written to ${end}, but has space only up to ${this.allocated}: a SIGBUS`)
    if (!this.storage.mapped) this.file.write(this.#bytes.subarray(start, end), start)
    this.storage.onChange('commit', this.path)
  }

  shed(): boolean {
    return false
  }
}

function missing(operation: string, path: string): Error {
  return storageError(
    operation,
    path,
    Object.assign(new Error('ENOENT: no such file or directory'), { code: 'ENOENT' }),
  )
}
