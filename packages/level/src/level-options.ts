import type { Durability, StoreEvent } from '@caskade/engine'
import type {
  AbstractBatchOptions,
  AbstractChainedBatchWriteOptions,
  AbstractDatabaseOptions,
  AbstractDelOptions,
  AbstractGetManyOptions,
  AbstractGetOptions,
  AbstractHasManyOptions,
  AbstractHasOptions,
  AbstractIteratorOptions,
  AbstractKeyIteratorOptions,
  AbstractOpenOptions,
  AbstractPutOptions,
  AbstractValueIteratorOptions,
  Transcoder,
} from 'abstract-level'

/** Options of `db.open()`: those of classic-level that mean something here, and the engine's own. */
export interface OpenOptions extends AbstractOpenOptions {
  /** Compress table blocks (LZ4), where it pays; default `true`. */
  compression?: boolean | undefined
  /** Bound of the cache of decompressed blocks, in bytes; default 64 MiB. */
  cacheSize?: number | undefined
  /** Size of the log segments and so of memtables, in bytes; default 16 MiB. */
  writeBufferSize?: number | undefined
  /** Bytes of records after which a table block ends; default 4096. */
  blockSize?: number | undefined
  /** Size at which compaction begins the next table, in bytes; default 32 MiB. */
  maxFileSize?: number | undefined
  /** Accepted, and without effect: an open table costs one descriptor, and there are few. */
  maxOpenFiles?: number | undefined
  /** Accepted, and without effect: blocks have no restart points. */
  blockRestartInterval?: number | undefined
  /** `true` is refused (`LEVEL_NOT_SUPPORTED`): a database belongs to one thread. */
  multithreading?: boolean | undefined
  /**
   * What every write survives when it resolves: `os` (default) the death of the process, as in classic-level; `sync` the
   * death of the machine, as if each had `sync: true`; `interval` that too, but for the last second.
   */
  durability?: Durability | undefined
  /** Bloom filter size; default 10. */
  bloomBitsPerKey?: number | undefined
  /** `auto` (default): map files where FFI can be loaded; `off`: never. */
  mmap?: 'auto' | 'off' | undefined
  /** Told about recovery, compactions and failures: for logs. */
  onEvent?: ((event: StoreEvent) => void) | undefined
}

export interface DatabaseOptions<K, V> extends AbstractDatabaseOptions<K, V>, Omit<OpenOptions, 'passive'> {}

/** Accepted, and without effect: the cache resists scans by itself. */
export interface ReadOptions {
  fillCache?: boolean | undefined
}

export interface WriteOptions {
  /** Resolve only when the write would survive the death of the machine; writers at the same time share one sync. */
  sync?: boolean | undefined
}

export interface GetOptions<K, V> extends AbstractGetOptions<K, V>, ReadOptions {}
export interface GetManyOptions<K, V> extends AbstractGetManyOptions<K, V>, ReadOptions {}
export interface HasOptions<K> extends AbstractHasOptions<K>, ReadOptions {}
export interface HasManyOptions<K> extends AbstractHasManyOptions<K>, ReadOptions {}
export interface PutOptions<K, V> extends AbstractPutOptions<K, V>, WriteOptions {}
export interface DelOptions<K> extends AbstractDelOptions<K>, WriteOptions {}
export interface BatchOptions<K, V> extends AbstractBatchOptions<K, V>, WriteOptions {}
export interface ChainedBatchWriteOptions extends AbstractChainedBatchWriteOptions, WriteOptions {}

export interface AdditionalIteratorOptions extends ReadOptions {
  /** `nextv()` ends early once its entries have more bytes than this; default 16 KiB. */
  highWaterMarkBytes?: number | undefined
}

export type IteratorOptions<K, V> = AbstractIteratorOptions<K, V> & AdditionalIteratorOptions
export type KeyIteratorOptions<K> = AbstractKeyIteratorOptions<K> & AdditionalIteratorOptions
export type ValueIteratorOptions<K, V> = AbstractValueIteratorOptions<K, V> & AdditionalIteratorOptions

/** Of `approximateSize` and `compactRange`. */
export interface StartEndOptions<K> {
  /** Encodes `start` and `end`. */
  keyEncoding?: string | Transcoder.PartialEncoder<K> | undefined
}
