import type { Store } from '@caskade/engine'
import {
  AbstractIterator,
  type AbstractIteratorOptions,
  AbstractKeyIterator,
  type AbstractKeyIteratorOptions,
  AbstractValueIterator,
  type AbstractValueIteratorOptions,
} from 'abstract-level'
import type { EventTurn } from './event-turn.js'
import type { Encoded } from './level-range.js'
import { RangeReader, type ReaderOptions } from './range-reader.js'

// Three, because abstract-level decodes entries, keys and values each its own way; what they do is the reader's.

type Entry = [Encoded | undefined, Encoded | undefined]

export class EntryIterator<TDatabase, K, V> extends AbstractIterator<TDatabase, K, V> {
  readonly #reader: RangeReader<Entry>

  constructor(db: TDatabase, store: Store, turn: EventTurn, options: ReaderOptions) {
    super(db, options as unknown as AbstractIteratorOptions<K, V>)
    this.#reader = new RangeReader(store, turn, options, (key, value): Entry => [key, value])
  }

  protected async _next(): Promise<Entry | undefined> {
    return this.#reader.next()
  }

  protected async _nextv(size: number): Promise<Entry[]> {
    return this.#reader.nextv(size)
  }

  protected async _all(): Promise<Entry[]> {
    return this.#reader.all(this.limit - this.count)
  }

  protected _seek(target: Encoded): void {
    this.#reader.seek(target)
  }

  protected async _close(): Promise<void> {
    this.#reader.close()
  }
}

export class KeyIterator<TDatabase, K> extends AbstractKeyIterator<TDatabase, K> {
  readonly #reader: RangeReader<Encoded>

  constructor(db: TDatabase, store: Store, turn: EventTurn, options: ReaderOptions) {
    super(db, options as unknown as AbstractKeyIteratorOptions<K>)
    this.#reader = new RangeReader(store, turn, { ...options, keys: true, values: false }, (key) => key!)
  }

  protected async _next(): Promise<Encoded | undefined> {
    return this.#reader.next()
  }

  protected async _nextv(size: number): Promise<Encoded[]> {
    return this.#reader.nextv(size)
  }

  protected async _all(): Promise<Encoded[]> {
    return this.#reader.all(this.limit - this.count)
  }

  protected _seek(target: Encoded): void {
    this.#reader.seek(target)
  }

  protected async _close(): Promise<void> {
    this.#reader.close()
  }
}

export class ValueIterator<TDatabase, K, V> extends AbstractValueIterator<TDatabase, K, V> {
  readonly #reader: RangeReader<Encoded>

  constructor(db: TDatabase, store: Store, turn: EventTurn, options: ReaderOptions) {
    super(db, options as unknown as AbstractValueIteratorOptions<K, V>)
    this.#reader = new RangeReader(store, turn, { ...options, keys: false, values: true }, (_key, value) => value!)
  }

  protected async _next(): Promise<Encoded | undefined> {
    return this.#reader.next()
  }

  protected async _nextv(size: number): Promise<Encoded[]> {
    return this.#reader.nextv(size)
  }

  protected async _all(): Promise<Encoded[]> {
    return this.#reader.all(this.limit - this.count)
  }

  protected _seek(target: Encoded): void {
    this.#reader.seek(target)
  }

  protected async _close(): Promise<void> {
    this.#reader.close()
  }
}
