import { isInStretch, stretchOfKey } from './key-stretch.js'
import type { KeyedRecord, KeyStretch, NamedBytes, ReadablePage, ReplicaStore } from './replica-store.js'
import { StoreError } from './store-error.js'

const metaPartition = 0xffff

interface Slot {
  key: Uint8Array
  record: Uint8Array
  /** Reads throw CASKADE_CORRUPTION until the record is written again. */
  rotten: boolean
}

/** Puts a slot back as it was before write number `ticket`. */
interface Undo {
  ticket: number
  partition: number
  name: string
  before: Slot | undefined
}

/**
 * The store of the simulator: maps, with the failures of a disk at will. It outlives the node that uses it, as a disk
 * does: crash it, then give it to the next life of the node.
 *
 * Memory: the records, and one undo entry per write that is not durable.
 */
export class ModelReplicaStore implements ReplicaStore {
  /** Writes throw CASKADE_DISK_FULL; reads go on. */
  full = false
  /** `sync` only notes what is wanted: the simulator calls `becomeDurable` when its disk has got that far. */
  slow = false
  #readOnly = false
  #ticket = 0
  #durableTicket = 0
  #syncWanted = 0
  #lostUnsynced = false
  readonly #partitions = new Map<number, Map<string, Slot>>()
  /** Names of a partition in key order; built by a scan, dropped when a name comes or goes. */
  readonly #sorted = new Map<number, string[]>()
  readonly #undo: Undo[] = []

  get ticket(): number {
    return this.#ticket
  }

  get durableTicket(): number {
    return this.#durableTicket
  }

  get lostUnsynced(): boolean {
    return this.#lostUnsynced
  }

  /** Up to which ticket `sync` was asked for: with `slow`, the simulator's cue. */
  get syncWantedTicket(): number {
    return this.#syncWanted
  }

  get(partition: number, key: Uint8Array): Uint8Array | undefined {
    const slot = this.#partitions.get(partition)?.get(nameOf(key))
    return slot === undefined ? undefined : copyOf(readable(slot, partition))
  }

  put(partition: number, key: Uint8Array, record: Uint8Array): void {
    this.#checkWritable()
    this.#set(++this.#ticket, partition, nameOf(key), { key: copyOf(key), record: copyOf(record), rotten: false })
  }

  remove(partition: number, key: Uint8Array): void {
    this.#checkWritable()
    const name = nameOf(key)
    if (this.#partitions.get(partition)?.has(name)) this.#set(++this.#ticket, partition, name, undefined)
  }

  scan(partition: number, after: Uint8Array | undefined, limit: number): KeyedRecord[] {
    const found: KeyedRecord[] = []
    const names = this.#namesOf(partition)
    const slots = this.#partitions.get(partition)
    const first = after === undefined ? 0 : firstAfter(names, nameOf(after))
    for (let i = first; i < names.length && found.length < limit; i++) {
      const slot = slots!.get(names[i]!)!
      found.push({ key: copyOf(slot.key), record: copyOf(readable(slot, partition)) })
    }
    return found
  }

  compareKeys(_: number, a: Uint8Array, b: Uint8Array): number {
    return Buffer.compare(a, b)
  }

  scanReadable(partition: number, after: Uint8Array | undefined, limit: number): ReadablePage {
    const names = this.#namesOf(partition)
    const first = after === undefined ? 0 : firstAfter(names, nameOf(after))
    const slots = names.slice(first, first + limit).map((name) => this.#partitions.get(partition)!.get(name)!)
    const readable = slots.filter(({ rotten }) => !rotten)
    return {
      records: readable.map(({ key, record }) => ({ key: copyOf(key), record: copyOf(record) })),
      damaged: slots.filter(({ rotten }) => rotten).map(({ key }) => stretchOfKey(key)),
      upTo: first + limit < names.length ? copyOf(slots.at(-1)!.key) : undefined,
    }
  }

  replaceStretch(partition: number, stretch: KeyStretch, records: readonly KeyedRecord[]): void {
    this.#checkWritable()
    const ticket = ++this.#ticket
    for (const [name, { key }] of [...(this.#partitions.get(partition) ?? [])])
      if (isInStretch(key, stretch)) this.#set(ticket, partition, name, undefined)
    for (const { key, record } of records)
      this.#set(ticket, partition, nameOf(key), { key: copyOf(key), record: copyOf(record), rotten: false })
  }

  dropPartition(partition: number): void {
    this.#checkWritable()
    this.#ticket++
    for (const name of [...(this.#partitions.get(partition)?.keys() ?? [])])
      this.#set(this.#ticket, partition, name, undefined)
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
    const names = this.#namesOf(metaPartition)
    const found: NamedBytes[] = []
    const first = after !== undefined && after >= prefix ? firstAfter(names, after) : firstNotBefore(names, prefix)
    for (let i = first; i < names.length && found.length < limit && names[i]!.startsWith(prefix); i++)
      found.push({ name: names[i]!, bytes: this.getMeta(names[i]!)! })
    return found
  }

  sync(): void {
    this.#syncWanted = this.#ticket
    if (!this.slow) this.becomeDurable()
  }

  /** The disk has caught up with the syncs asked for, or with those up to `ticket`. */
  becomeDurable(ticket = this.#syncWanted): void {
    if (this.#readOnly) return
    this.#durableTicket = Math.max(this.#durableTicket, Math.min(ticket, this.#syncWanted))
    let kept = 0
    while (kept < this.#undo.length && this.#undo[kept]!.ticket <= this.#durableTicket) kept++
    this.#undo.splice(0, kept)
  }

  /** A sync has failed: nobody knows what is on disk. Writes throw CASKADE_READ_ONLY, `durableTicket` stays where it is. */
  failSync(): void {
    this.#readOnly = true
  }

  /**
   * The machine dies and the store is opened again. Durable writes are there; of the others those up to `survivingTicket`
   * (a disk may have got further than it said). All faults but rot are over.
   */
  crash(survivingTicket = this.#durableTicket): void {
    const last = Math.max(this.#durableTicket, Math.min(survivingTicket, this.#ticket))
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop())
      if (undo.ticket > last) this.#place(undo.partition, undo.name, undo.before)
    this.#reopen(true)
  }

  /** An orderly stop and the next open: nothing is lost. */
  restart(): void {
    if (this.#readOnly) this.crash()
    else {
      this.#undo.length = 0
      this.#reopen(false)
    }
  }

  /** A new, empty disk in place of the old one. */
  wipe(): void {
    this.#partitions.clear()
    this.#sorted.clear()
    this.#undo.length = 0
    this.#reopen(true)
  }

  /** Damages one record: until it is written again, reads of it throw CASKADE_CORRUPTION. False if there is none. */
  rot(partition: number, key: Uint8Array): boolean {
    const slot = this.#partitions.get(partition)?.get(nameOf(key))
    if (slot !== undefined) slot.rotten = true
    return slot !== undefined
  }

  /** Partitions that hold anything, ascending. */
  partitions(): number[] {
    return [...this.#partitions.keys()].filter((partition) => partition !== metaPartition).sort((a, b) => a - b)
  }

  #checkWritable(): void {
    if (this.#readOnly) throw new StoreError('CASKADE_READ_ONLY', 'a sync failed: restart the node')
    if (this.full) throw new StoreError('CASKADE_DISK_FULL', 'no room for the record: free some space')
  }

  #set(ticket: number, partition: number, name: string, slot: Slot | undefined): void {
    this.#undo.push({ ticket, partition, name, before: this.#partitions.get(partition)?.get(name) })
    this.#place(partition, name, slot)
  }

  #place(partition: number, name: string, slot: Slot | undefined): void {
    let slots = this.#partitions.get(partition)
    if ((slots?.has(name) ?? false) !== (slot !== undefined)) this.#sorted.delete(partition)
    if (slot === undefined) {
      slots?.delete(name)
      if (slots?.size === 0) this.#partitions.delete(partition)
      return
    }
    if (slots === undefined) {
      slots = new Map()
      this.#partitions.set(partition, slots)
    }
    slots.set(name, slot)
  }

  #namesOf(partition: number): string[] {
    let names = this.#sorted.get(partition)
    if (names === undefined) {
      names = [...(this.#partitions.get(partition)?.keys() ?? [])].sort((a, b) => (a < b ? -1 : 1))
      this.#sorted.set(partition, names)
    }
    return names
  }

  #reopen(lostUnsynced: boolean): void {
    this.#ticket = 0
    this.#durableTicket = 0
    this.#syncWanted = 0
    this.#lostUnsynced = lostUnsynced
    this.#readOnly = false
    this.full = false
    this.slow = false
  }
}

/** One character per byte: strings then sort as the bytes do. */
const nameOf = (key: Uint8Array) => Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('latin1')

/** Not `slice`: of a Buffer that is a view. */
const copyOf = (bytes: Uint8Array) => new Uint8Array(bytes)

const latin1 = (name: string) => Buffer.from(name, 'latin1')

function readable(slot: Slot, partition: number): Uint8Array {
  if (slot.rotten)
    throw new StoreError('CASKADE_CORRUPTION', `a record of partition ${partition} does not match its checksum`)
  return slot.record
}

/** Index of the first name that `goesBefore` does not hold for; names are sorted. */
function partitionPoint(names: readonly string[], goesBefore: (name: string) => boolean): number {
  let low = 0
  let high = names.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (goesBefore(names[middle]!)) low = middle + 1
    else high = middle
  }
  return low
}

const firstAfter = (names: readonly string[], name: string) => partitionPoint(names, (each) => each <= name)
const firstNotBefore = (names: readonly string[], name: string) => partitionPoint(names, (each) => each < name)
