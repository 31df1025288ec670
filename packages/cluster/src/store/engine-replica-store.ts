import type { KeyRange, Store } from '@caskade/engine'
import { isInStretch } from './key-stretch.js'
import {
  type KeyedRecord,
  type KeyStretch,
  type NamedBytes,
  type ReadablePage,
  type ReplicaStore,
  replicaKeyBytesMax,
} from './replica-store.js'
import { StoreError, storeErrorCode } from './store-error.js'

/** Partitions of a cluster are below 2^14; these two hold what is not the cluster's data. */
const metaPartition = 0xffff
const ownPartition = 0xfffe
const prefixBytes = 2
const closedMark = Buffer.from('closed')

export interface EngineReplicaStoreOptions {
  /** `durableTicket` has risen after `sync` had returned. */
  onDurable: () => void
  /** A sync has failed: nothing becomes durable any more, and the engine takes no more writes. */
  onSyncFailed: (error: unknown) => void
}

/**
 * The engine as a node's storage port: key = partition (u16, big-endian), then the key; metadata is partition 0xFFFF. The store must
 * be ordered, and used by nobody else.
 *
 * Whether an earlier life may have lost writes is told by a mark that `markClosed` leaves as its very last write and the constructor
 * takes away. Before the node acknowledges anything, whoever opens it awaits the engine's `sync()`: a power cut that took back
 * the taking away would make the next open believe in a clean stop.
 */
export class EngineReplicaStore implements ReplicaStore {
  readonly lostUnsynced: boolean
  readonly #store: Store
  readonly #options: EngineReplicaStoreOptions
  /** A key with its prefix; used within one call. */
  readonly #key = Buffer.allocUnsafe(prefixBytes + replicaKeyBytesMax)
  #ticket = 0
  #durableTicket = 0
  #syncingTicket = 0
  #markedClosed = false

  constructor(store: Store, options: EngineReplicaStoreOptions) {
    if (!store.capabilities.ordered)
      throw new TypeError('a replica needs an ordered store: partitions are ranges of keys')
    this.#store = store
    this.#options = options
    this.lostUnsynced = this.get(ownPartition, closedMark) === undefined
    this.remove(ownPartition, closedMark)
  }

  get ticket(): number {
    return this.#ticket
  }

  get durableTicket(): number {
    return this.#durableTicket
  }

  get(partition: number, key: Uint8Array): Uint8Array | undefined {
    const found = this.#store.borrow(this.#key, 0, this.#compose(partition, key))
    if (found === undefined) return undefined
    const record = Buffer.allocUnsafe(found.valueEnd - found.valueStart)
    record.set(found.bytes.subarray(found.valueStart, found.valueEnd))
    return record
  }

  put(partition: number, key: Uint8Array, record: Uint8Array): void {
    this.#checkOpen()
    this.#store.putFrom(this.#key, 0, this.#compose(partition, key), record, 0, record.length, 0, 0, 0)
    this.#ticket++
  }

  remove(partition: number, key: Uint8Array): void {
    this.#checkOpen()
    const end = this.#compose(partition, key)
    if (this.#store.borrow(this.#key, 0, end) === undefined) return
    this.#store.deleteFrom(this.#key, 0, end)
    this.#ticket++
  }

  scan(partition: number, after: Uint8Array | undefined, limit: number): KeyedRecord[] {
    return this.#scan(prefixOf(partition), after === undefined ? undefined : this.#ownedKey(partition, after), limit)
  }

  scanReadable(partition: number, after: Uint8Array | undefined, limit: number): ReadablePage {
    const prefix = prefixOf(partition)
    const damaged: KeyStretch[] = []
    const onDamage = (range: KeyRange) => damaged.push(stretchOf(range, prefix))
    const gt = after === undefined ? {} : { gt: this.#ownedKey(partition, after) }
    const found: KeyedRecord[] = []
    for (const { key, value } of this.#store.scan({ prefix, limit, onDamage, ...gt }))
      found.push({ key: key.subarray(prefixBytes), record: value })
    const isEnd = found.length < limit
    const records = found.flatMap(({ key, record }) => {
      // It may be what was there before the record that cannot be read.
      const sure = damaged.some((stretch) => isInStretch(key, stretch)) ? this.#readable(partition, key) : record
      return sure === undefined ? [] : [{ key, record: sure }]
    })
    return { records, damaged, upTo: isEnd ? undefined : found.at(-1)!.key }
  }

  replaceStretch(partition: number, { from, to }: KeyStretch, records: readonly KeyedRecord[]): void {
    this.#checkOpen()
    const gte = this.#ownedKey(partition, from)
    const end = to === undefined ? {} : { lt: this.#ownedKey(partition, to) }
    this.#store.atomic(() => {
      this.#store.deleteRangeSync({ prefix: prefixOf(partition), gte, ...end })
      for (const { key, record } of records)
        this.#store.putFrom(this.#key, 0, this.#compose(partition, key), record, 0, record.length, 0, 0, 0)
    })
    this.#ticket++
  }

  dropPartition(partition: number): void {
    this.#checkOpen()
    this.#store.deleteRangeSync({ prefix: prefixOf(partition) })
    this.#ticket++
  }

  getMeta(name: string): Uint8Array | undefined {
    return this.get(metaPartition, latin1(name))
  }

  putMeta(name: string, bytes: Uint8Array): void {
    this.put(metaPartition, latin1(name), bytes)
  }

  removeMeta(name: string): void {
    this.remove(metaPartition, latin1(name))
  }

  scanMeta(prefix: string, after: string | undefined, limit: number): NamedBytes[] {
    const from = after === undefined ? undefined : this.#ownedKey(metaPartition, latin1(after))
    return this.#scan(this.#ownedKey(metaPartition, latin1(prefix)), from, limit).map(({ key, record }) => ({
      name: Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1'),
      bytes: record,
    }))
  }

  sync(): void {
    const ticket = this.#ticket
    if (ticket === this.#durableTicket || ticket === this.#syncingTicket) return
    const durable = this.#store.durable()
    if (durable === undefined) {
      this.#durableTicket = ticket
      return
    }
    this.#syncingTicket = ticket
    durable.then(
      () => {
        this.#durableTicket = Math.max(this.#durableTicket, ticket)
        this.#options.onDurable()
      },
      (error: unknown) => this.#options.onSyncFailed(error),
    )
  }

  /** The last write: an orderly stop. Then await the engine's `sync()` and close it. Later writes throw CASKADE_READ_ONLY. */
  markClosed(): void {
    this.put(ownPartition, closedMark, new Uint8Array())
    this.#markedClosed = true
  }

  #checkOpen(): void {
    if (this.#markedClosed) throw new StoreError('CASKADE_READ_ONLY', 'the node has stopped: open the store again')
  }

  #scan(prefix: Uint8Array, after: Uint8Array | undefined, limit: number): KeyedRecord[] {
    const range = after === undefined ? { prefix, limit } : { prefix, gt: after, limit }
    const found: KeyedRecord[] = []
    for (const { key, value } of this.#store.scan(range)) found.push({ key: key.subarray(prefixBytes), record: value })
    return found
  }

  #readable(partition: number, key: Uint8Array): Uint8Array | undefined {
    try {
      return this.get(partition, key)
    } catch (error) {
      if (storeErrorCode(error) !== 'CASKADE_CORRUPTION') throw error
      return undefined
    }
  }

  /** Puts the whole key into the scratch buffer; returns where it ends. */
  #compose(partition: number, key: Uint8Array): number {
    if (key.length > replicaKeyBytesMax)
      throw new RangeError(`a key has up to ${replicaKeyBytesMax} bytes, not ${key.length}`)
    this.#key[0] = partition >>> 8
    this.#key[1] = partition
    this.#key.set(key, prefixBytes)
    return prefixBytes + key.length
  }

  #ownedKey(partition: number, key: Uint8Array): Uint8Array {
    return new Uint8Array(this.#key.subarray(0, this.#compose(partition, key)))
  }
}

/** What of a range of the engine's keys, which a scan with that prefix has told, is in the partition. */
function stretchOf({ gte, lt }: KeyRange, prefix: Uint8Array): KeyStretch {
  const from = gte!.subarray(prefixBytes)
  return { from, to: lt !== undefined && startsWith(lt, prefix) ? lt.subarray(prefixBytes) : undefined }
}

const startsWith = (key: Uint8Array, prefix: Uint8Array) => Buffer.compare(key.subarray(0, prefix.length), prefix) === 0

const prefixOf = (partition: number) => Uint8Array.of(partition >>> 8, partition)
const latin1 = (name: string) => Buffer.from(name, 'latin1')
