import type { Store } from '@caskade/engine'
import { type KeyedRecord, type NamedBytes, type ReplicaStore, replicaKeyBytesMax } from './replica-store.js'
import { StoreError } from './store-error.js'

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

const prefixOf = (partition: number) => Uint8Array.of(partition >>> 8, partition)
const latin1 = (name: string) => Buffer.from(name, 'latin1')
