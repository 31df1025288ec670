/**
 * The port that every backend serves: one interface, one conformance suite.
 *
 * Keys sort bytewise. Reads never return a view into a mapping, except the ones named "borrowed", which are valid only
 * until the next call on the same store.
 */

/** Longest key in bytes; a key has at least one byte. */
export const keyBytesMax = 65_535
/** Longest value in bytes (256 MiB). */
export const valueBytesMax = 256 * 1024 * 1024
/** Largest `tag`. */
export const tagMax = 15
/** Latest `writtenAt`: 48 bits of milliseconds, some 8,900 years. */
export const writtenAtMax = 2 ** 48 - 1

export interface StoreCapabilities {
  /** `scan` yields keys in bytewise order. */
  readonly ordered: boolean
  /** Reads at a past moment while writes go on. */
  readonly snapshots: boolean
}

export interface WriteOptions {
  /** Milliseconds since the epoch from which the record is gone; 0 or absent: never. */
  expiresAt?: number
  /** A small number (0..15) kept with the record for the caller's own use, such as the value's type. */
  tag?: number
  /**
   * Milliseconds since the epoch kept with the record, as the caller says: when it was written. 0 or absent: not recorded,
   * and no byte is spent on it.
   */
  writtenAt?: number
}

export type BatchOperation =
  | ({ type: 'put'; key: Uint8Array; value: Uint8Array } & WriteOptions)
  | { type: 'delete'; key: Uint8Array }

/** Which keys: all bounds together. Without any, every key. */
export interface KeyRange {
  gt?: Uint8Array
  gte?: Uint8Array
  lt?: Uint8Array
  lte?: Uint8Array
  /** Only keys that start with these bytes; combines with the bounds. */
  prefix?: Uint8Array
}

export interface ScanOptions extends KeyRange {
  /** Descending order; of an unordered store, its own order backwards. */
  reverse?: boolean
  /**
   * Only records behind this key in the order in which this store scans (backwards with `reverse`), whether the key is there or not:
   * to go on where another scan ended. That order never changes. In an ordered store the same as `gt`.
   */
  after?: Uint8Array
  /** At most this many records; absent: all. */
  limit?: number
  /** Leave `value` empty: cheaper where only keys are wanted. */
  keysOnly?: boolean
  /**
   * Instead of throwing `CASKADE_CORRUPTION` at a damaged block: told which keys may lack records that cannot be read, and goes on. It is told before
   * any of them is yielded, and may be told again. Such a key may be yielded as it was earlier, since deleted even: `getSync` of it is right, or
   * throws. Only of tables of an LSM store; everything else throws as ever.
   */
  onDamage?: (range: KeyRange) => void
}

/**
 * A moment of the store: reads that are given it see every write up to `sequence` and none after it. Until it is closed,
 * the store keeps what it shows, which costs the space of the versions that have been replaced since. Records that expire
 * meanwhile are gone from it too.
 */
export interface Snapshot extends Disposable, AsyncDisposable {
  readonly sequence: number
  /** Lets go of the moment. More than once is once; reads with it are refused (`CASKADE_CLOSED`) from then on. */
  close(): void
}

export interface ReadOptions {
  /** Read at this moment instead of now. A snapshot of another store is a TypeError. */
  snapshot?: Snapshot
}

export interface Entry {
  key: Uint8Array
  value: Uint8Array
  sequence: number
  /** 0: never. */
  expiresAt: number
  tag: number
  /** 0: not recorded. */
  writtenAt: number
}

/**
 * A record borrowed from the store: the fields, and the bytes they point into, change with the next call on the store.
 * One object is reused for every call.
 */
export interface BorrowedRecord {
  bytes: Uint8Array
  valueStart: number
  valueEnd: number
  sequence: number
  expiresAt: number
  tag: number
  writtenAt: number
}

/** A range of records as of the moment `scan` was called; iterate it once, either way. Breaking out releases what it pins. */
export interface Scan extends Iterable<Entry>, AsyncIterable<Entry> {}

/** One write, as `changes` tells of it. */
export type Change = (
  | {
      readonly type: 'put'
      readonly key: Uint8Array
      readonly value: Uint8Array
      readonly expiresAt: number
      readonly tag: number
      readonly writtenAt: number
    }
  | { readonly type: 'delete'; readonly key: Uint8Array }
  | { readonly type: 'deleteRange'; readonly range: KeyRange }
) & {
  readonly sequence: number
  /** The atomic batch that the write is part of ends with it: up to here everything is whole. */
  readonly batchEnd: boolean
}

export interface ChangesOptions extends AbortOptions {
  /** At most this many; absent: all. */
  limit?: number
  /** Asynchronous iteration waits for more at the end, until the signal aborts or the store closes. */
  live?: boolean
}

/**
 * Writes in the order of their sequences, without gaps. Iterate either way. What is read next is kept while an iteration is
 * under way only as far as `changesBytes` goes: a slow one may end with `CASKADE_TOO_OLD`.
 */
export interface Changes extends Iterable<Change>, AsyncIterable<Change> {}

export interface VerifyReport {
  files: number
  bytes: number
  records: number
  /** One per damaged place. Empty: every checksum matched. */
  errors: { file: string; offset: number; message: string }[]
}

export interface StoreStats {
  /** Number of the newest write. */
  sequence: number
  /** Estimate of live keys: exact after a compaction of everything, otherwise counts overwritten versions too. */
  keysEstimate: number
  /** Bytes of all files of the store. */
  diskBytes: number
  /** Bytes held off the JavaScript heap: memtables, indexes, filters, cache. */
  memoryBytes: number
  readOnlyReason: string | undefined
  /** Backend-specific figures, each a number, by name (`lsm.level0.tables`, …): made for metrics. */
  details: Record<string, number>
}

export interface Store extends AsyncDisposable {
  readonly capabilities: StoreCapabilities
  readonly directory: string

  /** An owned copy of the value; `undefined` when there is none. */
  getSync(key: Uint8Array, options?: ReadOptions): Uint8Array | undefined
  get(key: Uint8Array, options?: ReadOptions): Promise<Uint8Array | undefined>
  /** As `get` for each key, in order; cheaper than one by one. */
  getMany(keys: readonly Uint8Array[], options?: ReadOptions): Promise<(Uint8Array | undefined)[]>
  /** Everything known of one record, owned. */
  getEntry(key: Uint8Array, options?: ReadOptions): Entry | undefined
  /**
   * Hot path: the record under key `source[start, end)`, borrowed until the next call on the store (of any kind, an
   * iteration step included). No copy, no allocation.
   */
  borrow(source: Uint8Array, start: number, end: number): BorrowedRecord | undefined

  /**
   * Hot path, a hint: reads ahead what lookups of the first `count` keys will touch, so that their cache misses overlap. `bounds` has each key's start
   * and end in `source`. Changes nothing, answers nothing, throws nothing.
   */
  prefetch(source: Uint8Array, bounds: Int32Array, count: number): void

  /** Resolves to the write's sequence once it is as durable as the store's `durability` promises, and the store wants more. */
  put(key: Uint8Array, value: Uint8Array, options?: WriteOptions): Promise<number>
  /** Applied on return and sure to survive the death of the process; for more, await `durable()`. Returns the sequence. */
  putSync(key: Uint8Array, value: Uint8Array, options?: WriteOptions): number
  /** Hot path: `putSync` from slices, without allocation. */
  putFrom(
    keySource: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueSource: Uint8Array,
    valueStart: number,
    valueEnd: number,
    expiresAt: number,
    tag: number,
    writtenAt: number,
  ): number
  delete(key: Uint8Array): Promise<number>
  deleteSync(key: Uint8Array): number
  /** Hot path: `deleteSync` from a slice. */
  deleteFrom(source: Uint8Array, start: number, end: number): number
  /**
   * Removes every record in the range: one write with one sequence, atomic, in an ordered store of a cost that does not
   * depend on how many there are. Others walk their keys. A range that can hold no key is no write.
   */
  deleteRange(range: KeyRange): Promise<number>
  deleteRangeSync(range: KeyRange): number
  /** All or nothing, at once and after a crash. Returns the sequence of the last operation (they are consecutive). */
  write(batch: readonly BatchOperation[]): Promise<number>
  writeSync(batch: readonly BatchOperation[]): number
  /**
   * Runs `apply` at once; all writes it makes through this store are one atomic batch, now and after a crash. Reads inside
   * see them. If it throws, none of them happened. `apply` must be synchronous; inside another `atomic` it joins that one.
   */
  atomic<T>(apply: () => T): T
  /** Removes every record, atomically; the space comes back at once. */
  clear(): Promise<void>

  /** `undefined`: every write accepted so far is as durable as promised; else resolves when it is, or rejects if it may not be. */
  durable(): Promise<void> | undefined
  /**
   * Resolves once every write accepted so far would survive the death of the machine, whatever `durability` says. Callers
   * at the same time share one fdatasync. After it rejects (`CASKADE_UNCERTAIN`) the store is read-only.
   */
  sync(): Promise<void>
  /** `undefined`: go on; else resolves when writers should go on (compaction is behind). Never takes seconds at a time. */
  backpressure(): Promise<void> | undefined

  /**
   * Ordered stores go from bound to bound. Others walk all their keys, or, where the prefix holds a whole hash tag (`{user1000}.`), those with that tag, which
   * lie together.
   */
  scan(options?: ScanOptions & ReadOptions): Scan
  /** Negative, zero or positive as a scan of this store comes by `a` before, with or after `b`, whether the keys are there or not. Never changes. */
  compareKeys(a: Uint8Array, b: Uint8Array): number
  /**
   * Every write after the sequence `since`, up to now (or beyond, see `live`). Throws `TooOldError` when some of them are no longer kept.
   * A change is as durable as its write: after a power cut that took the last writes, their sequences are used again.
   */
  changes(since: number, options?: ChangesOptions): Changes
  /** This moment, to read at later. Costs next to nothing; not inside `atomic` (TypeError). Close it. */
  snapshot(): Snapshot
  /**
   * About how many bytes on disk, log included, the records of the range take, dead versions too: from indexes, without
   * reading values. For what lies in tables it is right to a block or two at each end.
   */
  approximateSize(range: KeyRange): number

  /**
   * A second store in a directory that is absent or empty: everything up to a moment between the call and its first wait, while
   * writing goes on. Files are shared by hard links where the file system has them, so it costs little time and, until the two
   * drift apart, no space. Durable when it resolves. After an error, or an abort, nothing is left of it.
   */
  checkpoint(directory: string, options?: AbortOptions): Promise<void>
  /**
   * Writes a sorted stream past the log, atomically: newer than everything before the moment it resolves. Keys must ascend, each
   * once (`RangeError` with both keys otherwise, and nothing is written); a store that is not ordered takes any order.
   * Returns the sequence, the same for all records. Durable when it resolves.
   */
  ingest(records: Iterable<IngestRecord> | AsyncIterable<IngestRecord>, options?: AbortOptions): Promise<number>
  /** Everything in memory becomes tables on disk. Aborted, it no longer waits for that. */
  flush(options?: AbortOptions): Promise<void>
  /** Rewrites everything in the range to the last level: drops what is overwritten, deleted or expired. */
  compactRange(options?: { gte?: Uint8Array; lt?: Uint8Array } & AbortOptions): Promise<void>
  stats(): StoreStats
  /** Reads every byte of every file against its checksum. */
  verify(options?: AbortOptions): Promise<VerifyReport>
  close(): Promise<void>
}

export interface IngestRecord extends WriteOptions {
  key: Uint8Array
  value: Uint8Array
}
/** `lsm`: ordered, for any mix of work. `bitcask`: unordered, each key costs some 12 bytes of memory, a read one lookup. */
export type StoreKind = 'lsm' | 'bitcask'

/** Of operations that take a while. */
export interface AbortOptions {
  /** When it aborts, the operation rejects with its reason, and nothing of it is half done. */
  signal?: AbortSignal
}

/** What a write has survived when it is acknowledged; see docs/engine/durability.md. */
export type Durability = 'os' | 'interval' | 'sync'

export interface OpenOptions {
  /** Backend, default `lsm`. A directory belongs to the one that made it. */
  store?: StoreKind
  /**
   * `os` (default): an acknowledged write survives the death of the process; `interval`: and of the machine, except for the
   * last `syncIntervalMs`; `sync`: and of the machine (group commit).
   */
  durability?: Durability
  /** With `interval`: milliseconds between syncs, default 1000. */
  syncIntervalMs?: number
  /** LSM: size of a log segment and so of a memtable, in bytes; default 64 MiB. */
  memtableBytes?: number
  /**
   * How many bytes of the log are kept for `changes` after they were flushed to tables; default 0. Counted in whole segments of
   * `memtableBytes`, at the size of their files.
   */
  changesBytes?: number
  /** Bound of the cache of decompressed blocks, in bytes; default 64 MiB. */
  cacheBytes?: number
  /**
   * LSM: how many bytes of tables are memory-mapped, default 1 GiB; those beyond are read with pread and through the cache.
   * Mapped pages that were read count as resident memory of the process, though the system takes them back when it needs them; and the
   * system reads around what is asked for, so less should be mapped than there is memory for.
   */
  mappedBytes?: number
  /** Bloom filter size, default 10 (about 1 % false positives). */
  bloomBitsPerKey?: number
  /** Of table blocks: `lz4` (default), where it pays, or `none`. */
  compression?: 'lz4' | 'none'
  /** Bytes of records after which a table block ends, default 4096. */
  blockBytes?: number
  /** Bitcask: size of a data file, in bytes; default 128 MiB, at most 2 GiB. */
  dataFileBytes?: number
  /** Size at which compaction begins the next table, in bytes; default 32 MiB. */
  tableBytes?: number
  /**
   * LSM: what a compaction that meets damage does. `stop` (default): the store takes no more writes, so that nobody overlooks it. `set-aside`: its tables
   * stay as they are until a range has been deleted; for those who rebuild what is damaged from elsewhere and
   * delete the old range. Meanwhile level 0 may grow, and writers slow down.
   */
  damagedTables?: 'stop' | 'set-aside'
  /**
   * Reads only: writes are refused with `CASKADE_READ_ONLY`, no file is changed, and a directory without write permission
   * will do. Any number of these at once, but none beside a writer (`CASKADE_LOCKED`): to read beside one, open a checkpoint.
   * What is in the log is replayed into memory, each time.
   */
  readOnly?: boolean
  /** `auto` (default): map files where FFI can be loaded; `off`: pread and pwrite. */
  mmap?: 'auto' | 'off'
  /** Milliseconds since the epoch, for expiry; default `Date.now`. */
  clock?: () => number
  /** Told about recovery, compactions and failures: for logs. */
  onEvent?: (event: StoreEvent) => void
}

export interface StoreEvent {
  level: 'info' | 'warn' | 'error'
  /** Stable name, such as `recovered`, `tail-cut`, `flushed`, `compacted`, `read-only`. */
  name: string
  details: Record<string, string | number | undefined>
}
