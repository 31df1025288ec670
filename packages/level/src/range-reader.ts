import type { Entry, KeyRange, Snapshot, Store } from '@caskade/engine'
import type { EventTurn } from './event-turn.js'
import { LevelError, toLevelError } from './level-error.js'
import { type Encoded, encodedKey, type LevelRange, rangeFrom, storedRange } from './level-range.js'
import type { LevelSnapshot } from './level-snapshot.js'
import { levelKey } from './stored-key.js'
import { textOf } from './utf8-text.js'

type Format = 'utf8' | 'buffer' | 'view'

/** What abstract-level hands to an iterator: bounds encoded, encodings reduced to formats. */
export interface ReaderOptions extends LevelRange {
  reverse: boolean
  keys?: boolean
  values?: boolean
  keyEncoding: Format
  valueEncoding: Format
  snapshot?: LevelSnapshot
  signal?: AbortSignal
  highWaterMarkBytes?: number
}

/** Of entries between two turns of the event loop while all of them are asked for. */
const entriesPerPage = 1000
const highWaterMarkBytesDefault = 16 << 10
/** Nothing left to read. */
const ended: Iterator<Entry, undefined> = { next: () => ({ done: true, value: undefined }) }

function inFormat(bytes: Uint8Array, format: Format): Encoded {
  if (format === 'utf8') return textOf(bytes, 0, bytes.length)
  if (format === 'view' || Buffer.isBuffer(bytes)) return bytes
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

/**
 * One moment of a range, read entry by entry or in pages, with seeks. Behind every iterator; `toItem` makes of an entry
 * what the iterator yields. Results are promises only where the event loop gets its turn.
 */
export class RangeReader<Item> {
  readonly #store: Store
  readonly #turn: EventTurn
  readonly #options: ReaderOptions
  readonly #toItem: (key: Encoded | undefined, value: Encoded | undefined) => Item
  readonly #range: KeyRange
  readonly #moment: Snapshot
  readonly #keys: boolean
  readonly #values: boolean
  readonly #highWaterMarkBytes: number
  #scan: Iterator<Entry, undefined> | undefined

  constructor(
    store: Store,
    turn: EventTurn,
    options: ReaderOptions,
    toItem: (key: Encoded | undefined, value: Encoded | undefined) => Item,
  ) {
    this.#store = store
    this.#turn = turn
    this.#options = options
    this.#toItem = toItem
    this.#keys = options.keys !== false
    this.#values = options.values !== false
    this.#highWaterMarkBytes = options.highWaterMarkBytes ?? highWaterMarkBytesDefault
    this.#range = storedRange(options)
    // A seek reads again at the moment of the iterator's creation.
    this.#moment = options.snapshot?.moment ?? store.snapshot()
  }

  next(): Item | undefined | Promise<Item | undefined> {
    const turn = this.#turn.spend(1)
    return this.#isImmediate(turn) ? this.#one() : this.#later(turn, () => this.#one())
  }

  nextv(size: number): Item[] | Promise<Item[]> {
    const turn = this.#turn.spend(Math.min(size, entriesPerPage))
    const page = () => this.#page(size, this.#highWaterMarkBytes)
    return this.#isImmediate(turn) ? page() : this.#later(turn, page)
  }

  /** At most `limit`. */
  async all(limit: number): Promise<Item[]> {
    const items: Item[] = []
    for (;;) {
      const size = Math.min(entriesPerPage, limit - items.length)
      const page = await this.#later(this.#turn.spend(size), () => this.#page(size, Number.POSITIVE_INFINITY))
      for (const item of page) items.push(item)
      if (page.length < entriesPerPage) return items
    }
  }

  #isImmediate(turn: Promise<void> | undefined): turn is undefined {
    return turn === undefined && this.#options.signal === undefined
  }

  /** With a signal every read waits a little, so that a caller can abort what it has begun. */
  async #later<T>(turn: Promise<void> | undefined, read: () => T): Promise<T> {
    await turn
    if (this.#options.signal?.aborted) throw abortError(this.#options.signal.reason)
    return read()
  }

  seek(target: Encoded): void {
    this.#scan?.return?.()
    const { reverse } = this.#options
    const rest = rangeFrom(this.#range, encodedKey(target), reverse)
    this.#scan = rest === undefined ? ended : this.#scanOf(rest)
  }

  close(): void {
    this.#scan?.return?.()
    this.#scan = ended
    if (this.#options.snapshot === undefined) this.#moment.close()
  }

  #scanOf(range: KeyRange): Iterator<Entry, undefined> {
    const { reverse } = this.#options
    const scan = this.#store.scan({ ...range, reverse, keysOnly: !this.#values, snapshot: this.#moment })
    return scan[Symbol.iterator]()
  }

  #one(): Item | undefined {
    const step = this.#step()
    return step.done ? undefined : this.#item(step.value)
  }

  /** Ends early behind the entry with which the sum of bytes exceeds `bytesMax`. */
  #page(size: number, bytesMax: number): Item[] {
    const items: Item[] = []
    let bytes = 0
    while (items.length < size) {
      const step = this.#step()
      if (step.done) break
      const { key, value } = step.value
      items.push(this.#item(step.value))
      bytes += (this.#keys ? key.length : 0) + value.length
      if (bytes > bytesMax) break
    }
    return items
  }

  #step(): IteratorResult<Entry, undefined> {
    try {
      this.#scan ??= this.#scanOf(this.#range)
      return this.#scan.next()
    } catch (error) {
      throw toLevelError(error)
    }
  }

  #item({ key, value }: Entry): Item {
    const { keyEncoding, valueEncoding } = this.#options
    return this.#toItem(
      this.#keys ? inFormat(levelKey(key), keyEncoding) : undefined,
      this.#values ? inFormat(value, valueEncoding) : undefined,
    )
  }
}

function abortError(cause: unknown): LevelError {
  const error = new LevelError('LEVEL_ABORTED', 'Operation has been aborted', { cause })
  // As the web's own.
  Object.defineProperty(error, 'name', { value: 'AbortError' })
  return error
}
