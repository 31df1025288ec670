import { existsSync } from 'node:fs'
import { destroyStore, openStore, repairStore, type Store, storeExists } from '@caskade/engine'
import {
  type AbstractBatchOperation,
  type AbstractChainedBatch,
  type AbstractIterator,
  type AbstractKeyIterator,
  AbstractLevel,
  type AbstractSnapshot,
  type AbstractValueIterator,
} from 'abstract-level'
import { engineOptions } from './engine-options.js'
import { EventTurn } from './event-turn.js'
import { LevelError, toLevelError, toWriteError } from './level-error.js'
import { EntryIterator, KeyIterator, ValueIterator } from './level-iterators.js'
import type {
  BatchOptions,
  ChainedBatchWriteOptions,
  DatabaseOptions,
  DelOptions,
  GetManyOptions,
  GetOptions,
  HasManyOptions,
  HasOptions,
  IteratorOptions,
  KeyIteratorOptions,
  OpenOptions,
  PutOptions,
  StartEndOptions,
  ValueIteratorOptions,
  WriteOptions,
} from './level-options.js'
import { levelProperty } from './level-property.js'
import { type Encoded, encodedKey, type LevelRange, storedRange } from './level-range.js'
import { LevelSnapshot } from './level-snapshot.js'
import { refuseLevelDb } from './leveldb-directory.js'
import type { ReaderOptions } from './range-reader.js'
import { isZeros } from './stored-key.js'
import { textOf, Utf8Scratch } from './utf8-text.js'

type Later<T> = T | Promise<T>

interface ReadContext {
  valueEncoding?: string
  snapshot?: LevelSnapshot
}

interface EncodedOperation {
  type: 'put' | 'del'
  key: Encoded
  value: Encoded
}

/** Keys that a `clear` with a limit or a snapshot removes in one batch. */
const keysPerClear = 1000

const manifest = {
  encodings: { buffer: true, utf8: true, view: true },
  has: true,
  createIfMissing: true,
  errorIfExists: true,
  explicitSnapshots: true,
  getSync: true,
  additionalMethods: { approximateSize: true, compactRange: true },
  signals: { iterators: true },
}

export interface ChainedBatch<TDatabase, K, V> extends AbstractChainedBatch<TDatabase, K, V> {
  write(): Promise<void>
  write(options: ChainedBatchWriteOptions): Promise<void>
}

/** The methods of abstract-level with the options they have here; what runs is inherited. */
export interface CaskadeLevel<KDefault, VDefault> {
  open(): Promise<void>
  open(options: OpenOptions): Promise<void>
  get(key: KDefault): Promise<VDefault | undefined>
  get<K = KDefault, V = VDefault>(key: K, options: GetOptions<K, V>): Promise<V | undefined>
  getSync(key: KDefault): VDefault | undefined
  getSync<K = KDefault, V = VDefault>(key: K, options: GetOptions<K, V>): V | undefined
  getMany(keys: KDefault[]): Promise<(VDefault | undefined)[]>
  getMany<K = KDefault, V = VDefault>(keys: K[], options: GetManyOptions<K, V>): Promise<(V | undefined)[]>
  has(key: KDefault): Promise<boolean>
  has<K = KDefault>(key: K, options: HasOptions<K>): Promise<boolean>
  hasMany(keys: KDefault[]): Promise<boolean[]>
  hasMany<K = KDefault>(keys: K[], options: HasManyOptions<K>): Promise<boolean[]>
  put(key: KDefault, value: VDefault): Promise<void>
  put<K = KDefault, V = VDefault>(key: K, value: V, options: PutOptions<K, V>): Promise<void>
  del(key: KDefault): Promise<void>
  del<K = KDefault>(key: K, options: DelOptions<K>): Promise<void>
  batch(operations: AbstractBatchOperation<this, KDefault, VDefault>[]): Promise<void>
  batch<K = KDefault, V = VDefault>(
    operations: AbstractBatchOperation<this, K, V>[],
    options: BatchOptions<K, V>,
  ): Promise<void>
  batch(): ChainedBatch<this, KDefault, VDefault>
  iterator(): AbstractIterator<this, KDefault, VDefault>
  iterator<K = KDefault, V = VDefault>(options: IteratorOptions<K, V>): AbstractIterator<this, K, V>
  keys(): AbstractKeyIterator<this, KDefault>
  keys<K = KDefault>(options: KeyIteratorOptions<K>): AbstractKeyIterator<this, K>
  values(): AbstractValueIterator<this, KDefault, VDefault>
  values<K = KDefault, V = VDefault>(options: ValueIteratorOptions<K, V>): AbstractValueIterator<this, K, V>
}

/**
 * An abstract-level database over the engine: a drop-in for `ClassicLevel` of classic-level 3. One process, and one thread
 * of it, has it open; a second one fails with `LEVEL_LOCKED`.
 */
// biome-ignore lint/suspicious/noUnsafeDeclarationMerging: the interface only narrows options of inherited methods
export class CaskadeLevel<KDefault = string, VDefault = string> extends AbstractLevel<
  string | Buffer | Uint8Array,
  KDefault,
  VDefault
> {
  readonly #location: string
  readonly #turn = new EventTurn()
  readonly #scratch = new Utf8Scratch()
  /** What `close()` waits for. */
  readonly #pending = new Set<Promise<unknown>>()
  #opened: Store | undefined

  /** `location`: a directory, created with its parents unless `createIfMissing` is `false`. */
  constructor(location: string, options?: DatabaseOptions<KDefault, VDefault>) {
    checkLocation(location)
    super(manifest, options)
    this.#location = location
  }

  /** As passed to the constructor. */
  get location(): string {
    return this.#location
  }

  get #store(): Store {
    if (this.#opened === undefined) throw new LevelError('LEVEL_DATABASE_NOT_OPEN', 'Database is not open')
    return this.#opened
  }

  protected async _open(options: OpenOptions): Promise<void> {
    if (options.multithreading)
      throw new LevelError(
        'LEVEL_NOT_SUPPORTED',
        'multithreading is not supported: open the database in one thread, and let the others ask it',
      )
    refuseLevelDb(this.#location)
    const exists = storeExists(this.#location)
    if (!exists && !options.createIfMissing)
      throw new LevelError('LEVEL_IO_ERROR', `${this.#location}: does not exist (createIfMissing is false)`)
    if (exists && options.errorIfExists)
      throw new LevelError('LEVEL_IO_ERROR', `${this.#location}: exists (errorIfExists is true)`)
    this.#opened = await openStore(this.#location, engineOptions(options)).catch(rethrow)
  }

  protected async _close(): Promise<void> {
    await Promise.allSettled(this.#pending)
    await this.#opened?.close()
    this.#opened = undefined
  }

  // Reading. It is done when the call returns: what resolves later only lets the event loop turn.

  protected _get(key: Encoded, options: ReadContext): Later<Encoded | undefined> {
    return this.#inTurn(this._getSync(key, options), 1)
  }

  protected _getSync(key: Encoded, { valueEncoding, snapshot }: ReadContext): Encoded | undefined {
    try {
      const asText = valueEncoding === 'utf8'
      if (snapshot !== undefined) {
        const value = this.#store.getSync(encodedKey(key), { snapshot: snapshot.moment })
        return value !== undefined && asText ? textOf(value, 0, value.length) : value
      }
      const record = this.#borrow(key)
      if (record === undefined) return undefined
      const { bytes, valueStart, valueEnd } = record
      return asText ? textOf(bytes, valueStart, valueEnd) : Buffer.from(bytes.subarray(valueStart, valueEnd))
    } catch (error) {
      throw toWriteError(error)
    }
  }

  protected _getMany(keys: Encoded[], options: ReadContext): Later<(Encoded | undefined)[]> {
    // Borrowed one by one, which copies neither keys nor values: with texts faster than the engine's own getMany.
    return this.#inTurn(
      keys.map((key) => this._getSync(key, options)),
      keys.length,
    )
  }

  protected _has(key: Encoded, options: ReadContext): Later<boolean> {
    return this.#inTurn(this.#hasSync(key, options), 1)
  }

  protected _hasMany(keys: Encoded[], options: ReadContext): Later<boolean[]> {
    return this.#inTurn(
      keys.map((key) => this.#hasSync(key, options)),
      keys.length,
    )
  }

  #hasSync(key: Encoded, { snapshot }: ReadContext): boolean {
    try {
      if (snapshot === undefined) return this.#borrow(key) !== undefined
      return this.#store.getSync(encodedKey(key), { snapshot: snapshot.moment }) !== undefined
    } catch (error) {
      throw toWriteError(error)
    }
  }

  #borrow(key: Encoded) {
    if (typeof key === 'string' && this.#scratch.reserve(key.length)) {
      const end = this.#scratch.write(key, 0)
      if (!isZeros(this.#scratch.bytes, end)) return this.#store.borrow(this.#scratch.bytes, 0, end)
    }
    const bytes = encodedKey(key)
    return this.#store.borrow(bytes, 0, bytes.length)
  }

  #inTurn<T>(result: T, operations: number): Later<T> {
    const turn = this.#turn.spend(operations)
    return turn === undefined ? result : turn.then(() => result)
  }

  protected _iterator(options: ReaderOptions) {
    return new EntryIterator<this, KDefault, VDefault>(this, this.#store, this.#turn, options)
  }

  protected _keys(options: ReaderOptions) {
    return new KeyIterator<this, KDefault>(this, this.#store, this.#turn, options)
  }

  protected _values(options: ReaderOptions) {
    return new ValueIterator<this, KDefault, VDefault>(this, this.#store, this.#turn, options)
  }

  protected _snapshot(options: object): AbstractSnapshot {
    return new LevelSnapshot(this.#store.snapshot(), options)
  }

  // Writing

  protected _put(key: Encoded, value: Encoded, options: WriteOptions): Later<void> {
    try {
      this.#putSync(key, value)
    } catch (error) {
      throw toWriteError(error)
    }
    return this.#acknowledge(options)
  }

  protected _del(key: Encoded, options: WriteOptions): Later<void> {
    try {
      this.#store.deleteSync(encodedKey(key))
    } catch (error) {
      throw toWriteError(error)
    }
    return this.#acknowledge(options)
  }

  protected _batch(operations: EncodedOperation[], options: WriteOptions): Later<void> {
    try {
      this.#store.atomic(() => {
        for (const { type, key, value } of operations) {
          if (type === 'put') this.#putSync(key, value)
          else this.#store.deleteSync(encodedKey(key))
        }
      })
    } catch (error) {
      throw toWriteError(error)
    }
    return this.#acknowledge(options, operations.length)
  }

  #putSync(key: Encoded, value: Encoded): void {
    const scratch = this.#scratch
    if (typeof key === 'string' && typeof value === 'string' && scratch.reserve(key.length + value.length)) {
      const keyEnd = scratch.write(key, 0)
      if (!isZeros(scratch.bytes, keyEnd)) {
        const valueEnd = scratch.write(value, keyEnd)
        this.#store.putFrom(scratch.bytes, 0, keyEnd, scratch.bytes, keyEnd, valueEnd, 0, 0, 0)
        return
      }
    }
    this.#store.putSync(encodedKey(key), typeof value === 'string' ? Buffer.from(value) : value)
  }

  /** Until the write is as durable as asked for, the store wants more, and the event loop had its turn. */
  #acknowledge({ sync }: WriteOptions, operations = 1): Later<void> {
    const store = this.#store
    const waits = [sync ? store.sync() : store.durable(), store.backpressure(), this.#turn.spend(operations)].filter(
      (wait) => wait !== undefined,
    )
    if (waits.length === 0) return undefined
    return this.#track(Promise.all(waits).then(() => {}, rethrow))
  }

  /** Makes `close()` wait for it. */
  #track<T>(promise: Promise<T>): Promise<T> {
    this.#pending.add(promise)
    const forget = () => this.#pending.delete(promise)
    promise.then(forget, forget)
    return promise
  }

  protected _clear(options: LevelRange & { limit: number; reverse: boolean; snapshot?: LevelSnapshot }) {
    return this.#track(this.#clear(options).catch(rethrow))
  }

  async #clear({
    limit,
    reverse,
    snapshot,
    ...bounds
  }: LevelRange & { limit: number; reverse: boolean; snapshot?: LevelSnapshot }): Promise<void> {
    const store = this.#store
    const range = storedRange(bounds)
    if (limit < 0 && snapshot === undefined) {
      await store.deleteRange(range)
      return
    }
    const moment = snapshot && { snapshot: snapshot.moment }
    let keys: Uint8Array[] = []
    const remove = async () => {
      store.writeSync(keys.map((key) => ({ type: 'delete', key })))
      keys = []
      await this.#acknowledge({}, keysPerClear)
    }
    for (const { key } of store.scan({
      ...range,
      ...moment,
      reverse,
      keysOnly: true,
      ...(limit < 0 ? {} : { limit }),
    })) {
      keys.push(key)
      if (keys.length === keysPerClear) await remove()
    }
    if (keys.length > 0) await remove()
  }

  // What classic-level has beyond abstract-level

  /** About how many bytes on disk `[start, end)` takes. */
  async approximateSize(start: KDefault, end: KDefault): Promise<number>
  async approximateSize<K = KDefault>(start: K, end: K, options: StartEndOptions<K>): Promise<number>
  async approximateSize(
    ...args: [start?: unknown, end?: unknown, options?: StartEndOptions<unknown>]
  ): Promise<number> {
    if (args.length < 2) throw new TypeError("The arguments 'start' and 'end' are required")
    if (this.status === 'opening') return this.deferAsync(() => this.approximateSize(...(args as [KDefault, KDefault])))
    const { start, end } = this.#startEnd('approximateSize', ...args)
    return this.#store.approximateSize({ gte: start, lt: end })
  }

  /** Rewrites `[start, end]` to the last level: drops what is overwritten or deleted. */
  async compactRange(start: KDefault, end: KDefault): Promise<void>
  async compactRange<K = KDefault>(start: K, end: K, options: StartEndOptions<K>): Promise<void>
  async compactRange(...args: [start?: unknown, end?: unknown, options?: StartEndOptions<unknown>]): Promise<void> {
    if (args.length < 2) throw new TypeError("The arguments 'start' and 'end' are required")
    if (this.status === 'opening') return this.deferAsync(() => this.compactRange(...(args as [KDefault, KDefault])))
    const { start, end } = this.#startEnd('compactRange', ...args)
    await this.#track(
      this.#store.compactRange({ gte: start, lt: Buffer.concat([end, new Uint8Array(1)]) }).catch(rethrow),
    )
  }

  #startEnd(method: string, start: unknown, end: unknown, options?: StartEndOptions<unknown>) {
    if (this.status !== 'open')
      throw new LevelError('LEVEL_DATABASE_NOT_OPEN', `Database is not open: cannot call ${method}()`)
    const keyEncoding = this.keyEncoding(options?.keyEncoding as 'utf8')
    const encode = (key: unknown) => encodedKey(keyEncoding.encode(key as string) as Encoded)
    return { start: encode(start), end: encode(end) }
  }

  /** Figures of the engine under LevelDB's names (README); the empty string for an unknown one. */
  getProperty(property: string): string {
    if (typeof property !== 'string') throw new TypeError("The first argument 'property' must be a string")
    if (this.status !== 'open') throw new LevelError('LEVEL_DATABASE_NOT_OPEN', 'Database is not open')
    return levelProperty(property, () => this.#store.stats())
  }

  /** Removes a database: its own files, and the directory if nothing else is in it. Where there is none, nothing happens. */
  static async destroy(location: string): Promise<void> {
    checkLocation(location)
    refuseLevelDb(location)
    if (storeExists(location)) await destroyStore(location).catch(rethrow)
  }

  /** Makes a damaged database one that opens, with all that checksums vouch for; damaged files are moved to `lost/` in it. */
  static async repair(location: string): Promise<void> {
    checkLocation(location)
    refuseLevelDb(location)
    if (!existsSync(location)) throw new LevelError('LEVEL_IO_ERROR', `${location}: no such file or directory`)
    await repairStore(location).catch(rethrow)
  }
}

function checkLocation(location: string): void {
  if (typeof location !== 'string' || location === '')
    throw new TypeError("The first argument 'location' must be a non-empty string")
}

function rethrow(error: unknown): never {
  throw toLevelError(error)
}
