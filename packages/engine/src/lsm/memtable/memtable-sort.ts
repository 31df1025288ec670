import { compareSlices } from '../../bytes.js'
import { keyLengthAt } from './segment-format.js'
import { recordKeyStart, type SegmentBytes } from './segment-record.js'

/** Ranges shorter than this are insertion-sorted. */
const shortRange = 24

/**
 * Sorts record offsets by key ascending, and under one key by offset descending (newest first), in place.
 *
 * Multikey quicksort (Bentley and Sedgewick, 1997) over four key bytes at a time, held in a typed array beside the offsets:
 * most comparisons touch no record.
 */
export function sortRecords(segment: SegmentBytes, offsets: Uint32Array): void {
  if (offsets.length > 1) new RecordSort(segment, offsets).sort()
}

/** The order `sortRecords` makes. */
export function compareRecords({ bytes, view }: SegmentBytes, a: number, b: number): number {
  const aKey = recordKeyStart(view, a)
  const bKey = recordKeyStart(view, b)
  const aEnd = aKey + view.getUint16(a + keyLengthAt, true)
  return compareSlices(bytes, aKey, aEnd, bytes, bKey, bKey + view.getUint16(b + keyLengthAt, true)) || b - a
}

class RecordSort {
  readonly #segment: SegmentBytes
  readonly #offsets: Uint32Array
  /** The four key bytes at the depth in work, big-endian, zeros past the key's end. */
  readonly #words: Uint32Array

  constructor(segment: SegmentBytes, offsets: Uint32Array) {
    this.#segment = segment
    this.#offsets = offsets
    this.#words = new Uint32Array(offsets.length)
  }

  sort(): void {
    this.#loadWords(0, this.#offsets.length, 0)
    this.#sortRange(0, this.#offsets.length, 0)
  }

  #loadWords(low: number, high: number, depth: number): void {
    const { bytes, view } = this.#segment
    for (let i = low; i < high; i++) {
      const offset = this.#offsets[i]!
      const start = recordKeyStart(view, offset) + depth
      const left = view.getUint16(offset + keyLengthAt, true) - depth
      let word = 0
      if (left >= 4) word = view.getUint32(start, false)
      else for (let b = 0; b < left; b++) word |= bytes[start + b]! << (24 - 8 * b)
      this.#words[i] = word
    }
  }

  #swap(i: number, j: number): void {
    const offset = this.#offsets[i]!
    this.#offsets[i] = this.#offsets[j]!
    this.#offsets[j] = offset
    const word = this.#words[i]!
    this.#words[i] = this.#words[j]!
    this.#words[j] = word
  }

  #medianWord(low: number, high: number): number {
    const a = this.#words[low]!
    const b = this.#words[(low + high) >>> 1]!
    const c = this.#words[high - 1]!
    return a < b ? Math.max(a, Math.min(b, c)) : Math.max(b, Math.min(a, c))
  }

  /** Recurses into all parts but the largest, and loops on that: the stack stays logarithmic whatever the keys. */
  #sortRange(from: number, to: number, startDepth: number): void {
    let low = from
    let high = to
    let depth = startDepth
    while (high - low > shortRange) {
      const pivot = this.#medianWord(low, high)
      let less = low
      let greater = high
      for (let i = low; i < greater; ) {
        const word = this.#words[i]!
        if (word < pivot) this.#swap(i++, less++)
        else if (word > pivot) this.#swap(i, --greater)
        else i++
      }
      const unfinished = this.#placeEnded(less, greater, depth)
      this.#loadWords(unfinished, greater, depth + 4)
      const lessSize = less - low
      const equalSize = greater - unfinished
      const greaterSize = high - greater
      if (equalSize >= lessSize && equalSize >= greaterSize) {
        this.#sortRange(low, less, depth)
        this.#sortRange(greater, high, depth)
        low = unfinished
        high = greater
        depth += 4
      } else if (lessSize >= greaterSize) {
        this.#sortRange(unfinished, greater, depth + 4)
        this.#sortRange(greater, high, depth)
        high = less
      } else {
        this.#sortRange(low, less, depth)
        this.#sortRange(unfinished, greater, depth + 4)
        low = greater
      }
    }
    this.#insertionSort(low, high)
  }

  /** Of records equal up to `depth + 4`: those whose key ends there go first, sorted. Returns where the others begin. */
  #placeEnded(low: number, high: number, depth: number): number {
    const { view } = this.#segment
    const length = (offset: number) => view.getUint16(offset + keyLengthAt, true)
    let ended = low
    for (let i = low; i < high; i++) if (length(this.#offsets[i]!) <= depth + 4) this.#swap(i, ended++)
    if (ended - low > 1) this.#offsets.subarray(low, ended).sort((a, b) => length(a) - length(b) || b - a)
    return ended
  }

  #insertionSort(low: number, high: number): void {
    const offsets = this.#offsets
    for (let i = low + 1; i < high; i++) {
      const offset = offsets[i]!
      let j = i - 1
      while (j >= low && compareRecords(this.#segment, offsets[j]!, offset) > 0) {
        offsets[j + 1] = offsets[j]!
        j--
      }
      offsets[j + 1] = offset
    }
  }
}

/** Merges two runs of the same segment into one. */
export function mergeRuns(segment: SegmentBytes, a: Uint32Array, b: Uint32Array): Uint32Array {
  const merged = new Uint32Array(a.length + b.length)
  let i = 0
  let j = 0
  for (let k = 0; k < merged.length; k++) {
    const takeA = j === b.length || (i < a.length && compareRecords(segment, a[i]!, b[j]!) < 0)
    merged[k] = takeA ? a[i++]! : b[j++]!
  }
  return merged
}
