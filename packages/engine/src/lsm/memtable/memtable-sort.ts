import { compareSlices } from '../../bytes.js'
import { keyLengthAt } from './segment-format.js'
import { recordKeyStart, type SegmentBytes } from './segment-record.js'

/** Ranges shorter than this are insertion-sorted. */
const shortRange = 16
/** Six bytes and three bits are a whole number that a double holds exactly. */
const wordBytes = 6
/** In place of a count: the key is longer. */
const goesOn = 7

/**
 * Sorts record offsets by key ascending, and under one key by offset descending (newest first), in place.
 *
 * Multikey quicksort (Bentley and Sedgewick, 1997) over six key bytes at a time, held in a typed array beside the offsets: most
 * comparisons touch no record. They come ascending, so that records which are touched are touched in the order they lie in.
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
  /**
   * The key bytes at the depth in work, big-endian, zeros past the key's end, times eight; and how many they are, or `goesOn`. So a key that ends
   * here comes before a longer one, and equal words that do not go on are the same key.
   */
  readonly #words: Float64Array

  constructor(segment: SegmentBytes, offsets: Uint32Array) {
    this.#segment = segment
    this.#offsets = offsets
    this.#words = new Float64Array(offsets.length)
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
      if (left >= wordBytes) {
        const word = view.getUint32(start, false) * 0x1_0000 + view.getUint16(start + 4, false)
        this.#words[i] = word * 8 + (left === wordBytes ? wordBytes : goesOn)
      } else {
        let word = 0
        for (let b = 0; b < wordBytes; b++) word = word * 256 + (b < left ? bytes[start + b]! : 0)
        this.#words[i] = word * 8 + left
      }
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

  /**
   * Puts what equals the pivot to [less, greater), between the smaller and the larger (Bentley and McIlroy, "Engineering a sort function", 1993: equal
   * ones wait at both ends meanwhile). What is in order is not moved.
   */
  #partition(low: number, high: number, pivot: number): { less: number; greater: number } {
    const words = this.#words
    let equalLow = low
    let left = low
    let right = high - 1
    let equalHigh = high - 1
    for (;;) {
      for (; left <= right && words[left]! <= pivot; left++) if (words[left] === pivot) this.#swap(equalLow++, left)
      for (; left <= right && words[right]! >= pivot; right--)
        if (words[right] === pivot) this.#swap(equalHigh--, right)
      if (left > right) break
      this.#swap(left++, right--)
    }
    const less = low + left - equalLow
    const greater = high - (equalHigh - right)
    for (let i = low, j = Math.max(less, equalLow); i < equalLow && j < left; ) this.#swap(i++, j++)
    for (let i = high - 1, j = Math.min(greater, equalHigh + 1) - 1; i > equalHigh && j >= left; ) this.#swap(i--, j--)
    return { less, greater }
  }

  /** Recurses into all parts but the largest, and loops on that: the stack stays logarithmic whatever the keys. */
  #sortRange(from: number, to: number, startDepth: number): void {
    let low = from
    let high = to
    let depth = startDepth
    while (high - low > shortRange) {
      const pivot = this.#medianWord(low, high)
      const { less, greater } = this.#partition(low, high, pivot)
      const ends = pivot % 8 !== goesOn
      if (ends) this.#offsets.subarray(less, greater).sort().reverse()
      const equal = ends ? greater : less
      this.#loadWords(equal, greater, depth + wordBytes)
      const lessSize = less - low
      const equalSize = greater - equal
      const greaterSize = high - greater
      if (equalSize >= lessSize && equalSize >= greaterSize) {
        this.#sortRange(low, less, depth)
        this.#sortRange(greater, high, depth)
        low = equal
        high = greater
        depth += wordBytes
      } else if (lessSize >= greaterSize) {
        this.#sortRange(equal, greater, depth + wordBytes)
        this.#sortRange(greater, high, depth)
        high = less
      } else {
        this.#sortRange(low, less, depth)
        this.#sortRange(equal, greater, depth + wordBytes)
        low = greater
      }
    }
    this.#insertionSort(low, high)
  }

  #insertionSort(low: number, high: number): void {
    const offsets = this.#offsets
    const words = this.#words
    for (let i = low + 1; i < high; i++) {
      const offset = offsets[i]!
      const word = words[i]!
      let j = i - 1
      while (
        j >= low &&
        (words[j]! > word || (words[j] === word && compareRecords(this.#segment, offsets[j]!, offset) > 0))
      ) {
        offsets[j + 1] = offsets[j]!
        words[j + 1] = words[j]!
        j--
      }
      offsets[j + 1] = offset
      words[j + 1] = word
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
