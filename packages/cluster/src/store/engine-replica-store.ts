import type { KeyRange, OpenOptions, Store } from '@caskade/engine'
import { type KeyLayout, prefixBytesMax, rangeLayout, tagLayout } from './key-layout.js'
import { isInStretch } from './key-stretch.js'
import {
  type KeyedRecord,
  type KeyStretch,
  type NamedBytes,
  type ReadablePage,
  type ReplicaStore,
  replicaKeyBytesMax,
} from './replica-store.js'
import { SortedNames } from './sorted-names.js'
import { StoreError, storeErrorCode } from './store-error.js'

/** Partitions of a cluster are below 2^14; these two hold what is not the cluster's data. */
const metaPartition = 0xffff
const ownPartition = 0xfffe
const closedMark = Buffer.from('closed')

/**
 * What the engine of a node is opened with, beside what is chosen for it. A compaction that meets damage leaves it to be healed from
 * the other owners (docs/cluster/anti-entropy.md); an engine alone would take no more writes.
 */
export const replicaEngineOptions = { damagedTables: 'set-aside' } as const satisfies OpenOptions

export interface EngineReplicaStoreOptions {
  /** `durableTicket` has risen after `sync` had returned. */
  onDurable: () => void
  /** A sync has failed: nothing becomes durable any more, and the engine takes no more writes. */
  onSyncFailed: (error: unknown) => void
}

/**
 * The engine as a node's storage port, whichever its backend: the keys of a partition begin alike (`key-layout.ts`); metadata is partition 0xFFFF. Nobody
 * else uses the store. It is opened with `replicaEngineOptions`.
 *
 * In an unordered store the names of metadata are kept in memory too, in order (there is one for each hint), and a partition is dropped record by record.
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
  readonly #key = Buffer.allocUnsafe(prefixBytesMax + replicaKeyBytesMax)
  readonly #layout: KeyLayout
  /** Of metadata, where the store does not keep them in order. */
  readonly #names: SortedNames | undefined
  #ticket = 0
  #durableTicket = 0
  #syncingTicket = 0
  #markedClosed = false

  constructor(store: Store, options: EngineReplicaStoreOptions) {
    const { ordered } = store.capabilities
    this.#store = store
    this.#options = options
    this.#layout = ordered ? rangeLayout : tagLayout
    this.#names = ordered ? undefined : this.#readNames()
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
    return this.#page(partition, after, limit)
  }

  scanReadable(partition: number, after: Uint8Array | undefined, limit: number): ReadablePage {
    const damaged: KeyStretch[] = []
    const found = this.#page(partition, after, limit, damaged)
    const isEnd = found.length < limit
    const records = found.flatMap(({ key, record }) => {
      // It may be what was there before the record that cannot be read.
      const sure = damaged.some((stretch) => isInStretch(key, stretch)) ? this.#readable(partition, key) : record
      return sure === undefined ? [] : [{ key, record: sure }]
    })
    return { records, damaged, upTo: isEnd ? undefined : found.at(-1)!.key }
  }

  /** `damaged` is told of stretches that cannot be read; without it, they are thrown at. */
  #page(partition: number, after: Uint8Array | undefined, limit: number, damaged?: KeyStretch[]): KeyedRecord[] {
    const { parts, partOf, prefixBytes } = this.#layout
    const found: KeyedRecord[] = []
    let behind = after && this.#ownedKey(partition, after)
    for (let part = after === undefined ? 0 : partOf(after); part < parts && found.length < limit; part++) {
      const prefix = this.#prefixOf(partition, part)
      const onDamage = damaged && ((range: KeyRange) => damaged.push(stretchOf(range, prefix)))
      for (const { key, value } of this.#store.scan({
        prefix,
        limit: limit - found.length,
        ...(behind && { after: behind }),
        ...(onDamage && { onDamage }),
      }))
        found.push({ key: key.subarray(prefixBytes), record: value })
      behind = undefined
    }
    return found
  }

  compareKeys(partition: number, a: Uint8Array, b: Uint8Array): number {
    const { partOf } = this.#layout
    return partOf(a) - partOf(b) || this.#store.compareKeys(this.#ownedKey(partition, a), this.#ownedKey(partition, b))
  }

  replaceStretch(partition: number, { from, to }: KeyStretch, records: readonly KeyedRecord[]): void {
    this.#checkOpen()
    this.#store.atomic(() => {
      for (const prefix of this.#prefixesOf(partition))
        this.#store.deleteRangeSync({
          prefix,
          gte: Buffer.concat([prefix, from]),
          ...(to && { lt: Buffer.concat([prefix, to]) }),
        })
      for (const { key, record } of records)
        this.#store.putFrom(this.#key, 0, this.#compose(partition, key), record, 0, record.length, 0, 0, 0)
    })
    this.#ticket++
  }

  dropPartition(partition: number): void {
    this.#checkOpen()
    this.#store.atomic(() => {
      for (const prefix of this.#prefixesOf(partition)) this.#store.deleteRangeSync({ prefix })
    })
    this.#ticket++
  }

  getMeta(name: string): Uint8Array | undefined {
    return this.get(metaPartition, latin1(name))
  }

  putMeta(name: string, bytes: Uint8Array): void {
    this.put(metaPartition, latin1(name), bytes)
    this.#names?.add(name)
  }

  removeMeta(name: string): void {
    this.remove(metaPartition, latin1(name))
    this.#names?.remove(name)
  }

  scanMeta(prefix: string, after: string | undefined, limit: number): NamedBytes[] {
    if (this.#names !== undefined)
      return this.#names.page(prefix, after, limit).map((name) => ({ name, bytes: this.getMeta(name)! }))
    const from = after === undefined ? {} : { gt: this.#ownedKey(metaPartition, latin1(after)) }
    const found: NamedBytes[] = []
    for (const { key, value } of this.#store.scan({
      prefix: this.#ownedKey(metaPartition, latin1(prefix)),
      limit,
      ...from,
    }))
      found.push({ name: this.#nameOf(key), bytes: value })
    return found
  }

  #readNames(): SortedNames {
    const names = new SortedNames()
    for (const prefix of this.#prefixesOf(metaPartition))
      for (const { key } of this.#store.scan({ prefix, keysOnly: true })) names.add(this.#nameOf(key))
    return names
  }

  #nameOf(key: Uint8Array): string {
    return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1', this.#layout.prefixBytes)
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
    const { prefixBytes } = this.#layout
    this.#layout.writePrefix(this.#key, partition, this.#layout.partOf(key))
    this.#key.set(key, prefixBytes)
    return prefixBytes + key.length
  }

  #ownedKey(partition: number, key: Uint8Array): Uint8Array {
    return new Uint8Array(this.#key.subarray(0, this.#compose(partition, key)))
  }

  #prefixOf(partition: number, part: number): Uint8Array {
    const prefix = new Uint8Array(this.#layout.prefixBytes)
    this.#layout.writePrefix(prefix, partition, part)
    return prefix
  }

  #prefixesOf(partition: number): Uint8Array[] {
    return Array.from({ length: this.#layout.parts }, (_, part) => this.#prefixOf(partition, part))
  }
}

/** What of a range of the engine's keys, which a scan with that prefix has told, is in the partition. */
function stretchOf({ gte, lt }: KeyRange, prefix: Uint8Array): KeyStretch {
  const from = gte!.subarray(prefix.length)
  return { from, to: lt !== undefined && startsWith(lt, prefix) ? lt.subarray(prefix.length) : undefined }
}

const startsWith = (key: Uint8Array, prefix: Uint8Array) => Buffer.compare(key.subarray(0, prefix.length), prefix) === 0

const latin1 = (name: string) => Buffer.from(name, 'latin1')
