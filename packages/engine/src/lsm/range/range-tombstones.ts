import { compareBytes, compareSlices } from '../../bytes.js'
import type { DamagedBlock } from '../table/table-cursor.js'

/** A part of the keys, `[lower, upper)`, and the deletions that cover all of it. */
export interface RangeFragment {
  readonly lower: Uint8Array
  /** `undefined`: to the last key there can be. */
  readonly upper: Uint8Array | undefined
  /** Newest first; at least one. */
  readonly sequences: readonly number[]
}

/** Whether a read at a moment held in `held` (ascending), or now, can tell `older` from `newer`. */
export function tellsApart(held: readonly number[], older: number, newer: number): boolean {
  const next = held[firstAtLeast(held, older)]
  return next !== undefined && next < newer
}

/** Of sequences newest first: those that some read sees as the newest. */
export function seenAmong(sequences: readonly number[], held: readonly number[]): readonly number[] {
  const seen = sequences.filter((sequence, i) => i === 0 || tellsApart(held, sequence, sequences[i - 1]!))
  return seen.length === sequences.length ? sequences : seen
}

/**
 * Deleted ranges, cut where they overlap, so that a lookup is one binary search: fragments in key order that do not overlap
 * (RocksDB's fragmented range tombstones). Never changes: whoever reads over more than one call keeps the one it began with.
 */
export class RangeTombstones {
  readonly fragments: readonly RangeFragment[]

  /** In key order, without overlap. */
  constructor(fragments: readonly RangeFragment[]) {
    this.fragments = fragments
  }

  get isEmpty(): boolean {
    return this.fragments.length === 0
  }

  /** Sequence of the newest deletion; 0: there is none. */
  get latest(): number {
    return this.fragments.reduce((latest, { sequences }) => Math.max(latest, sequences[0]!), 0)
  }

  /** All of them as one, without deletions that no read can see any more. */
  static merged(parts: readonly RangeTombstones[], held: readonly number[]): RangeTombstones {
    const filled = parts.filter(({ isEmpty }) => !isEmpty)
    if (filled.length === 0) return noRanges
    const fragments = filled.flatMap((part) => part.fragments)
    return new RangeTombstones(fragmented(fragments).map((fragment) => pruned(fragment, held))).#joined()
  }

  /** With one more deletion, newer than all here. Cost: a copy of the list, and the fragments it covers. */
  with(lower: Uint8Array, upper: Uint8Array | undefined, sequence: number, held: readonly number[]): RangeTombstones {
    const all = this.fragments
    const first = firstEndingAfter(all, lower, 0, lower.length)
    let end = first
    while (end < all.length && isBefore(all[end]!.lower, upper)) end++
    const cut = fragmented([...all.slice(first, end), { lower, upper, sequences: [sequence] }])
    const fragments = joined(cut.map((fragment) => pruned(fragment, held)))
    return new RangeTombstones([...all.slice(0, first), ...fragments, ...all.slice(end)])
  }

  /** Sequence of the newest deletion up to `sequenceMax` that covers the key; 0 for none. */
  newestCovering(source: Uint8Array, start: number, end: number, sequenceMax: number): number {
    const fragment = this.#covering(source, start, end)
    if (fragment === undefined) return 0
    for (const sequence of fragment.sequences) if (sequence <= sequenceMax) return sequence
    return 0
  }

  /** Whether a record is deleted for every read that could see it. */
  hides(source: Uint8Array, start: number, end: number, sequence: number, held: readonly number[]): boolean {
    const sequences = this.#covering(source, start, end)?.sequences
    const next = sequences?.findLast((deletion) => deletion > sequence)
    return next !== undefined && !tellsApart(held, sequence, next)
  }

  /** Without the deletions up to `sequence`: nothing they could delete is left. */
  without(sequence: number): RangeTombstones {
    const left = this.fragments.map(({ lower, upper, sequences }) => ({
      lower,
      upper,
      sequences: sequences.filter((each) => each > sequence),
    }))
    return new RangeTombstones(joined(left.filter(({ sequences }) => sequences.length > 0)))
  }

  /** What of it lies in `[lower, upper)`; `undefined` is no bound. */
  within(lower: Uint8Array | undefined, upper: Uint8Array | undefined): RangeTombstones {
    const parts: RangeFragment[] = []
    for (const fragment of this.fragments) {
      const from = lower !== undefined && compareBytes(fragment.lower, lower) < 0 ? lower : fragment.lower
      const to = lesserUpper(fragment.upper, upper)
      if (isBefore(from, to)) parts.push({ lower: from, upper: to, sequences: fragment.sequences })
    }
    return parts.length === 0 ? noRanges : new RangeTombstones(parts)
  }

  /**
   * Whether deletions newer than `newest`, which no read tells from it and from anything since `oldest`, cover all keys from `lower` up to `upper`
   * (that key included if `closed`; `undefined`: to the last).
   */
  coversAll(
    { lower, upper, closed }: { lower: Uint8Array; upper: Uint8Array | undefined; closed: boolean },
    oldest: number,
    newest: number,
    held: readonly number[],
  ): boolean {
    let reached: Uint8Array | undefined = lower
    for (let i = firstEndingAfter(this.fragments, lower, 0, lower.length); i < this.fragments.length; i++) {
      const fragment: RangeFragment = this.fragments[i]!
      if (reached === undefined || compareBytes(fragment.lower, reached) > 0) return false
      const next = fragment.sequences.findLast((sequence) => sequence > newest)
      if (next === undefined || tellsApart(held, oldest, next)) return false
      reached = fragment.upper
      if (reached === undefined) return true
      if (upper === undefined) continue
      const order = compareBytes(reached, upper)
      if (order > 0 || (order === 0 && !closed)) return true
    }
    return false
  }

  /** Whether no read at `held`, or now, sees anything of a damaged block. */
  coversBlock({ span, oldest, newest }: DamagedBlock, held: readonly number[]): boolean {
    return this.coversAll({ ...span, closed: false }, oldest, newest, held)
  }

  #covering(source: Uint8Array, start: number, end: number): RangeFragment | undefined {
    const fragment = this.fragments[firstEndingAfter(this.fragments, source, start, end)]
    if (fragment === undefined) return undefined
    const { lower } = fragment
    return compareSlices(lower, 0, lower.length, source, start, end) <= 0 ? fragment : undefined
  }

  #joined(): RangeTombstones {
    return new RangeTombstones(joined(this.fragments))
  }
}

const isBefore = (key: Uint8Array, upper: Uint8Array | undefined) => upper === undefined || compareBytes(key, upper) < 0

const lesserUpper = (a: Uint8Array | undefined, b: Uint8Array | undefined) =>
  a === undefined ? b : b === undefined || compareBytes(a, b) <= 0 ? a : b

const pruned = ({ lower, upper, sequences }: RangeFragment, held: readonly number[]): RangeFragment => ({
  lower,
  upper,
  sequences: seenAmong(sequences, held),
})

/** Index of the first number >= `value` in an ascending list. */
function firstAtLeast(numbers: readonly number[], value: number): number {
  let low = 0
  let high = numbers.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (numbers[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}

/** Index of the first fragment whose end is after the key. */
function firstEndingAfter(fragments: readonly RangeFragment[], source: Uint8Array, start: number, end: number): number {
  let low = 0
  let high = fragments.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const { upper } = fragments[middle]!
    if (upper !== undefined && compareSlices(upper, 0, upper.length, source, start, end) <= 0) low = middle + 1
    else high = middle
  }
  return low
}

/** Cuts ranges that may overlap at each other's ends. */
function fragmented(ranges: readonly RangeFragment[]): RangeFragment[] {
  const bounds = ranges.flatMap(({ lower, upper }) => (upper === undefined ? [lower] : [lower, upper]))
  const cuts = bounds.sort(compareBytes).filter((bound, i) => i === 0 || compareBytes(bound, bounds[i - 1]!) !== 0)
  const sequences: number[][] = cuts.map(() => [])
  for (const range of ranges) {
    for (let i = cutAt(cuts, range.lower); i < cuts.length && isBefore(cuts[i]!, range.upper); i++)
      sequences[i]!.push(...range.sequences)
  }
  return cuts
    .map((lower, i) => ({ lower, upper: cuts[i + 1], sequences: sequences[i]!.sort((a, b) => b - a) }))
    .filter((fragment) => fragment.sequences.length > 0)
}

function cutAt(cuts: readonly Uint8Array[], bound: Uint8Array): number {
  let low = 0
  let high = cuts.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareBytes(cuts[middle]!, bound) < 0) low = middle + 1
    else high = middle
  }
  return low
}

/** Neighbours that the same deletions cover become one. */
function joined(fragments: readonly RangeFragment[]): RangeFragment[] {
  const result: RangeFragment[] = []
  for (const fragment of fragments) {
    const last = result.at(-1)
    if (last?.upper !== undefined && compareBytes(last.upper, fragment.lower) === 0 && sameSequences(last, fragment))
      result[result.length - 1] = { ...fragment, lower: last.lower }
    else result.push(fragment)
  }
  return result
}

const sameSequences = (a: RangeFragment, b: RangeFragment) =>
  a.sequences.length === b.sequences.length && a.sequences.every((sequence, i) => sequence === b.sequences[i])

export const noRanges = new RangeTombstones([])
