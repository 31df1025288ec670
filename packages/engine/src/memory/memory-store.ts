import { applySync } from '../apply-sync.js'
import {
  checkBatchType,
  checkChanges,
  checkExpiresAt,
  checkKey,
  checkKeyLength,
  checkRange,
  checkScan,
  checkTag,
  checkValue,
  checkValueLength,
  checkWrittenAt,
} from '../arguments.js'
import { compareBytes } from '../bytes.js'
import { ChangeFeed } from '../change-feed.js'
import { CaskadeError } from '../errors.js'
import { checkedSignal } from '../long-operations.js'
import { OpenSnapshots } from '../open-snapshots.js'
import { type KeyInterval, keysWithin, scanRange } from '../scan-range.js'
import { sliceIterator } from '../slice-iterator.js'
import type {
  AbortOptions,
  BatchOperation,
  BorrowedRecord,
  Change,
  Changes,
  ChangesOptions,
  Entry,
  IngestRecord,
  KeyRange,
  ReadOptions,
  Scan,
  ScanOptions,
  Snapshot,
  Store,
  StoreCapabilities,
  StoreStats,
  VerifyReport,
  WriteOptions,
} from '../store.js'
import { KeptChanges } from './kept-changes.js'

interface Stored {
  value: Uint8Array
  sequence: number
  expiresAt: number
  tag: number
  writtenAt: number
}

type Records = Map<string, Stored>

const toText = (bytes: Uint8Array, start = 0, end = bytes.length) =>
  Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
const toBytes = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))

/**
 * The port over a sorted map in memory: the model that the real backends are tested against, and a store for other
 * programs' tests. Keeps nothing when the process ends.
 */
export class MemoryStore implements Store {
  readonly capabilities: StoreCapabilities = { ordered: true, snapshots: true }
  readonly directory = ':memory:'
  // Keys as latin1 strings: their order is the bytewise order.
  #records: Records = new Map()
  /** A snapshot has it too: the next write goes to a copy. */
  #shared = false
  readonly #snapshots = new OpenSnapshots<Records>()
  readonly #changes: KeptChanges
  readonly #feed: ChangeFeed
  #sorted: string[] | undefined
  #sequence = 0
  #closed = false
  #atomicDepth = 0
  readonly #clock: () => number

  constructor(options: { clock?: () => number; changesBytes?: number } = {}) {
    const changes = new KeptChanges(options.changesBytes ?? 1 << 20)
    this.#changes = changes
    const sequence = () => this.#sequence
    this.#feed = new ChangeFeed({
      get sequence() {
        return sequence()
      },
      read: (since, upTo, limit) => changes.read(since, upTo, limit),
      watch: () => {},
    })
    this.#clock = options.clock ?? Date.now
  }

  #checkOpen(): void {
    if (this.#closed) throw new CaskadeError('CASKADE_CLOSED', 'this store is closed: open it again')
  }

  #live(text: string, records = this.#records): Stored | undefined {
    this.#checkOpen()
    const stored = records.get(text)
    return stored === undefined || (stored.expiresAt !== 0 && stored.expiresAt <= this.#clock()) ? undefined : stored
  }

  /** What a read looks at. */
  #recordsAt(options: ReadOptions | undefined): Records {
    this.#checkOpen()
    return options?.snapshot === undefined ? this.#records : this.#snapshots.momentOf(options.snapshot)
  }

  /** What a write changes. */
  #ownRecords(): Records {
    if (this.#shared) this.#records = new Map(this.#records)
    this.#shared = false
    return this.#records
  }

  getEntry(key: Uint8Array, options?: ReadOptions): Entry | undefined {
    checkKey(key)
    const stored = this.#live(toText(key), this.#recordsAt(options))
    return stored && { ...stored, key: new Uint8Array(key), value: stored.value.slice() }
  }

  getSync(key: Uint8Array, options?: ReadOptions): Uint8Array | undefined {
    return this.getEntry(key, options)?.value
  }

  async get(key: Uint8Array, options?: ReadOptions): Promise<Uint8Array | undefined> {
    return this.getSync(key, options)
  }

  async getMany(keys: readonly Uint8Array[], options?: ReadOptions): Promise<(Uint8Array | undefined)[]> {
    return keys.map((key) => this.getSync(key, options))
  }

  prefetch(): void {}

  borrow(source: Uint8Array, start: number, end: number): BorrowedRecord | undefined {
    checkKeyLength(end - start)
    const stored = this.#live(toText(source, start, end))
    if (stored === undefined) return undefined
    const { value, sequence, expiresAt, tag, writtenAt } = stored
    return { bytes: value, valueStart: 0, valueEnd: value.length, sequence, expiresAt, tag, writtenAt }
  }

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
  ): number {
    checkKeyLength(keyEnd - keyStart)
    checkValueLength(valueEnd - valueStart)
    checkExpiresAt(expiresAt)
    checkTag(tag)
    checkWrittenAt(writtenAt)
    const text = toText(keySource, keyStart, keyEnd)
    this.#live(text)
    const records = this.#ownRecords()
    if (!records.has(text)) this.#sorted = undefined
    records.set(text, {
      // Not `slice`: on a Buffer it is a view.
      value: new Uint8Array(valueSource.subarray(valueStart, valueEnd)),
      sequence: ++this.#sequence,
      expiresAt,
      tag,
      writtenAt,
    })
    const key = new Uint8Array(keySource.subarray(keyStart, keyEnd))
    const value = new Uint8Array(valueSource.subarray(valueStart, valueEnd))
    this.#changed({ type: 'put', key, value, expiresAt, tag, writtenAt, sequence: this.#sequence, batchEnd: false })
    return this.#sequence
  }

  putSync(key: Uint8Array, value: Uint8Array, options: WriteOptions = {}): number {
    checkKey(key)
    checkValue(value)
    const { expiresAt = 0, tag = 0, writtenAt = 0 } = options
    return this.putFrom(key, 0, key.length, value, 0, value.length, expiresAt, tag, writtenAt)
  }

  async put(key: Uint8Array, value: Uint8Array, options?: WriteOptions): Promise<number> {
    return this.putSync(key, value, options)
  }

  deleteFrom(source: Uint8Array, start: number, end: number): number {
    checkKeyLength(end - start)
    const text = toText(source, start, end)
    this.#live(text)
    if (this.#ownRecords().delete(text)) this.#sorted = undefined
    this.#sequence++
    this.#changed({ type: 'delete', key: toBytes(text), sequence: this.#sequence, batchEnd: false })
    return this.#sequence
  }

  deleteSync(key: Uint8Array): number {
    checkKey(key)
    return this.deleteFrom(key, 0, key.length)
  }

  async delete(key: Uint8Array): Promise<number> {
    return this.deleteSync(key)
  }

  deleteRangeSync(range: KeyRange): number {
    checkRange(range)
    this.#checkOpen()
    const interval = keysWithin(scanRange(range))
    if (interval === undefined) return this.#sequence
    const records = this.#ownRecords()
    for (const text of keysIn(records.keys(), interval)) records.delete(text)
    this.#sorted = undefined
    this.#sequence++
    const deleted = { gte: interval.lower, ...(interval.upper && { lt: interval.upper }) }
    this.#changed({ type: 'deleteRange', range: deleted, sequence: this.#sequence, batchEnd: false })
    return this.#sequence
  }

  #changed(change: Change): void {
    this.#changes.add({ ...change, batchEnd: this.#atomicDepth === 0 })
    if (this.#atomicDepth === 0) this.#feed.wake()
  }

  async deleteRange(range: KeyRange): Promise<number> {
    return this.deleteRangeSync(range)
  }

  writeSync(batch: readonly BatchOperation[]): number {
    this.#checkOpen()
    for (const operation of batch) {
      checkBatchType(operation)
      checkKey(operation.key)
      if (operation.type === 'delete') continue
      checkValue(operation.value)
      checkExpiresAt(operation.expiresAt ?? 0)
      checkTag(operation.tag ?? 0)
      checkWrittenAt(operation.writtenAt ?? 0)
    }
    this.atomic(() => {
      for (const operation of batch) {
        if (operation.type === 'delete') this.deleteSync(operation.key)
        else this.putSync(operation.key, operation.value, operation)
      }
    })
    return this.#sequence
  }

  async write(batch: readonly BatchOperation[]): Promise<number> {
    return this.writeSync(batch)
  }

  atomic<T>(apply: () => T): T {
    this.#checkOpen()
    const before = this.#records
    const shared = this.#shared
    this.#shared = true
    const sequence = this.#sequence
    this.#atomicDepth++
    try {
      const result = applySync(apply)
      if (this.#records === before) this.#shared = shared
      if (this.#atomicDepth === 1 && this.#sequence > sequence) {
        this.#changes.endBatch()
        this.#feed.wake()
      }
      return result
    } catch (error) {
      this.#records = before
      this.#shared = shared
      this.#sorted = undefined
      this.#sequence = sequence
      this.#changes.takeBack(sequence)
      throw error
    } finally {
      this.#atomicDepth--
    }
  }

  #admitMaintenance(operation: string): void {
    this.#checkOpen()
    if (this.#atomicDepth > 0)
      throw new TypeError(`${operation}() cannot be part of an atomic batch: call it before or after`)
  }

  async clear(): Promise<void> {
    this.#admitMaintenance('clear')
    this.deleteRangeSync({})
  }

  durable(): undefined {}
  backpressure(): undefined {}
  async sync(): Promise<void> {
    this.#checkOpen()
  }

  snapshot(): Snapshot {
    this.#admitMaintenance('snapshot')
    this.#shared = true
    return this.#snapshots.open(this.#sequence, this.#records)
  }

  /** Of keys and values: there is no disk. */
  approximateSize(range: KeyRange): number {
    checkRange(range)
    this.#checkOpen()
    let bytes = 0
    for (const text of keysIn(this.#records.keys(), scanRange(range)))
      bytes += text.length + this.#records.get(text)!.value.length
    return bytes
  }

  changes(since: number, options: ChangesOptions = {}): Changes {
    checkChanges(since, options)
    this.#admitMaintenance('changes')
    this.#changes.check(since)
    return this.#feed.changes(since, options)
  }

  compareKeys(a: Uint8Array, b: Uint8Array): number {
    return compareBytes(a, b)
  }

  scan(options: ScanOptions & ReadOptions = {}): Scan {
    checkScan(options)
    const entries = this.#entries(options, this.#recordsAt(options))
    return sliceIterator(
      (function* (): Generator<Entry, undefined> {
        yield* entries
      })(),
    )
  }

  #sortedKeys(records: Records): readonly string[] {
    if (records !== this.#records) return sorted(records.keys())
    this.#sorted ??= sorted(records.keys())
    return this.#sorted
  }

  #entries(options: ScanOptions, records: Records): Entry[] {
    const keys = keysIn(this.#sortedKeys(records), scanRange(options))
    if (options.reverse) keys.reverse()
    const found: Entry[] = []
    for (const text of keys) {
      if (found.length >= (options.limit ?? Infinity)) break
      const stored = this.#live(text, records)
      if (stored === undefined) continue
      found.push({ ...stored, key: toBytes(text), value: options.keysOnly ? new Uint8Array(0) : stored.value.slice() })
    }
    return found
  }

  async ingest(records: Iterable<IngestRecord> | AsyncIterable<IngestRecord>, options?: AbortOptions): Promise<number> {
    this.#admitMaintenance('ingest')
    const signal = checkedSignal(options)
    signal?.throwIfAborted()
    const all: [text: string, stored: Stored][] = []
    for await (const { key, value, expiresAt = 0, tag = 0, writtenAt = 0 } of records) {
      signal?.throwIfAborted()
      checkKey(key)
      checkValue(value)
      checkExpiresAt(expiresAt)
      checkTag(tag)
      checkWrittenAt(writtenAt)
      const text = toText(key)
      const last = all.at(-1)?.[0]
      if (last !== undefined && last >= text)
        throw new RangeError(
          `the keys of an ingest ascend, each once: ${JSON.stringify(text)} came after ${JSON.stringify(last)}`,
        )
      all.push([text, { value: new Uint8Array(value), sequence: 0, expiresAt, tag, writtenAt }])
    }
    this.#checkOpen()
    if (all.length === 0) return this.#sequence
    this.#sequence++
    this.#changes.forgetUpTo(this.#sequence)
    const own = this.#ownRecords()
    for (const [text, stored] of all) own.set(text, { ...stored, sequence: this.#sequence })
    this.#sorted = undefined
    return this.#sequence
  }

  async checkpoint(): Promise<void> {
    this.#checkOpen()
    throw new TypeError('a store in memory has no files that a checkpoint could share: copy its records instead')
  }

  async flush(options?: AbortOptions): Promise<void> {
    checkedSignal(options)?.throwIfAborted()
    this.#admitMaintenance('flush')
  }

  async compactRange(options?: AbortOptions): Promise<void> {
    checkedSignal(options)?.throwIfAborted()
    this.#admitMaintenance('compactRange')
  }

  stats(): StoreStats {
    return {
      sequence: this.#sequence,
      keysEstimate: this.#records.size,
      diskBytes: 0,
      memoryBytes: 0,
      readOnlyReason: undefined,
      details: {},
    }
  }

  async verify(options?: AbortOptions): Promise<VerifyReport> {
    checkedSignal(options)?.throwIfAborted()
    this.#checkOpen()
    return { files: 0, bytes: 0, records: this.#records.size, errors: [] }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#feed.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

const sorted = (keys: Iterable<string>) => [...keys].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))

function keysIn(keys: Iterable<string>, { lower, upper }: KeyInterval): string[] {
  const lowerText = lower === undefined ? '' : toText(lower)
  const upperText = upper && toText(upper)
  return [...keys].filter((text) => text >= lowerText && (upperText === undefined || text < upperText))
}
