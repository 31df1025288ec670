import { compareBytes } from '../bytes.js'
import { sliceIterator } from '../slice-iterator.js'
import type { Entry, ReadOptions, Scan, ScanOptions, Store } from '../store.js'

/** An unordered store, whose scans are sorted here: so that one suite, written for sorted ones, serves both. */
export function inKeyOrder<T extends Store>(store: T): T {
  if (store.capabilities.ordered) return store
  const scan = (options: ScanOptions & ReadOptions = {}): Scan => sliceIterator(new SortedScan(store, options))
  return new Proxy(store, {
    get(target, name) {
      if (name === 'scan') return scan
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
}

class SortedScan implements Iterator<Entry, undefined> {
  readonly #iterator: Iterator<Entry>
  readonly #reverse: boolean
  readonly #limit: number
  #sorted: Entry[] | undefined
  #next = 0

  constructor(store: Store, options: ScanOptions & ReadOptions) {
    const { limit, ...whole } = options
    if (limit !== undefined && !(limit >= 0)) throw new RangeError(`limit of a scan is 0 or more records, not ${limit}`)
    this.#iterator = store.scan(whole)[Symbol.iterator]()
    this.#reverse = options.reverse ?? false
    this.#limit = limit ?? Infinity
  }

  next(): IteratorResult<Entry, undefined> {
    this.#sorted ??= this.#sort()
    if (this.#next >= Math.min(this.#limit, this.#sorted.length)) return { done: true, value: undefined }
    return { done: false, value: this.#sorted[this.#next++]! }
  }

  return(): IteratorResult<Entry, undefined> {
    this.#iterator.return?.()
    this.#sorted = []
    return { done: true, value: undefined }
  }

  #sort(): Entry[] {
    const all = [...{ [Symbol.iterator]: () => this.#iterator }].sort((a, b) => compareBytes(a.key, b.key))
    return this.#reverse ? all.reverse() : all
  }
}
