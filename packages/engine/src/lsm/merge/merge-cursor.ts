import { compareSlices } from '../../bytes.js'
import type { RecordCursor } from '../record-cursor.js'

/**
 * Merges sorted runs into one pass, in one direction: forward by key ascending and newest first, or the exact reverse.
 * A binary heap of the sources, so that a step costs O(log sources); a step that stays with its source costs two compares.
 */
export class MergeCursor {
  readonly #sources: readonly RecordCursor[]
  readonly #sign: 1 | -1
  /** Valid sources; the first has the current record. */
  readonly #heap: RecordCursor[] = []

  constructor(sources: readonly RecordCursor[], direction: 'forward' | 'reverse') {
    this.#sources = sources
    this.#sign = direction === 'forward' ? 1 : -1
  }

  /** The record in turn, borrowed until `next`; `undefined` at the end. */
  get current(): RecordCursor | undefined {
    return this.#heap[0]
  }

  /** Forward: to the first record >= `bound`; reverse: to the last one < `bound`. Without a bound: to the very end. */
  start(bound: Uint8Array | undefined): void {
    this.#heap.length = 0
    for (const source of this.#sources) {
      if (this.#sign === 1) {
        if (bound === undefined) source.first()
        else source.seek(bound, 0, bound.length)
      } else if (bound === undefined) source.last()
      else {
        source.seek(bound, 0, bound.length)
        if (source.valid) source.previous()
        else source.last()
      }
      if (source.valid) this.#heap.push(source)
    }
    for (let i = (this.#heap.length >>> 1) - 1; i >= 0; i--) this.#siftDown(i)
  }

  next(): void {
    const top = this.#heap[0]!
    if (this.#sign === 1) top.next()
    else top.previous()
    if (!top.valid) {
      const last = this.#heap.pop()!
      if (this.#heap.length === 0) return
      this.#heap[0] = last
    }
    this.#siftDown(0)
  }

  #before(a: RecordCursor, b: RecordCursor): boolean {
    const order = compareSlices(a.keyBytes, a.keyStart, a.keyEnd, b.keyBytes, b.keyStart, b.keyEnd)
    return (order !== 0 ? order : b.sequence - a.sequence) * this.#sign < 0
  }

  #siftDown(from: number): void {
    const heap = this.#heap
    const moving = heap[from]!
    let i = from
    for (;;) {
      let child = 2 * i + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && this.#before(heap[child + 1]!, heap[child]!)) child++
      if (!this.#before(heap[child]!, moving)) break
      heap[i] = heap[child]!
      i = child
    }
    heap[i] = moving
  }
}
