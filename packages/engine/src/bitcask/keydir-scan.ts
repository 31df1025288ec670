import { compareBytes, compareSlices } from '../bytes.js'
import { ownedCopy } from '../copy-bytes.js'
import { hashKey } from '../key-hash.js'
import { slotCount, slotOfKey } from '../key-slot.js'
import { FoundRecord } from '../lsm/found-record.js'
import { readRecord } from '../lsm/memtable/segment-record.js'
import type { KeyInterval } from '../scan-range.js'
import type { Entry } from '../store.js'
import {
  entryFile,
  entryFingerprint,
  entryOffset,
  fingerprintOf,
  type Keydir,
  type PackedEntries,
} from './keydir/keydir.js'
import type { Moment } from './moment.js'

export interface KeydirScanOptions {
  range: KeyInterval
  /** Of all keys in the range, if they have one. */
  slot: number | undefined
  /** Only what lies behind this key in the order of the scan. */
  after: Uint8Array | undefined
  reverse: boolean
  limit: number
  keysOnly: boolean
  now: number
}

const noBytes = new Uint8Array(0)
/** So many entries of a slot are told apart by their position in a sort key. */
const positions = 2 ** 30
const noOrder = new Float64Array(0)

/**
 * All records of a moment in the keydir's order: by slot, then by the upper bits of the key's hash, then by key. The order of two keys never
 * changes, whatever is written, so that a scan can go on behind the last key of another. Slots are taken one at a time: memory for one
 * slot's entries, whatever the size of the store.
 */
export class KeydirScan implements Iterator<Entry, undefined> {
  readonly #keydir: Keydir
  readonly #moment: Moment
  readonly #options: KeydirScanOptions
  readonly #record = new FoundRecord()
  readonly #firstSlot: number
  readonly #lastSlot: number
  #left: number
  /** The one that was looked at last. */
  #slot: number
  #entries: PackedEntries = new Uint32Array(0)
  /** Positions in `#entries`, in order. */
  #order: Float64Array = new Float64Array(0)
  #next = 0
  /** To be gone on behind, in the first slot. */
  #resume: Uint8Array | undefined
  #released = false

  constructor(keydir: Keydir, moment: Moment, options: KeydirScanOptions) {
    this.#keydir = keydir
    this.#moment = moment
    this.#options = options
    this.#left = options.limit
    const { after, reverse, slot } = options
    this.#firstSlot = slot ?? 0
    this.#lastSlot = slot ?? slotCount - 1
    const step = reverse ? -1 : 1
    const begin = reverse ? this.#lastSlot : this.#firstSlot
    const resumed = after === undefined ? begin : slotOfKey(after, 0, after.length)
    const isWithin = (resumed - begin) * step >= 0
    this.#resume = isWithin ? after : undefined
    this.#slot = (isWithin ? resumed : begin) - step
  }

  next(): IteratorResult<Entry, undefined> {
    if (this.#released) return { done: true, value: undefined }
    try {
      const entry = this.#left > 0 ? this.#step() : undefined
      if (entry === undefined) return this.return()
      this.#left--
      return { done: false, value: entry }
    } catch (error) {
      this.return()
      throw error
    }
  }

  return(): IteratorResult<Entry, undefined> {
    if (!this.#released) {
      this.#released = true
      this.#moment.release()
    }
    return { done: true, value: undefined }
  }

  #step(): Entry | undefined {
    for (;;) {
      while (this.#next < this.#order.length) {
        const i = this.#order[this.#next++]! % positions
        this.#load(i)
        if (this.#isVisible()) return this.#own()
      }
      if (!this.#nextSlot()) return undefined
    }
  }

  #load(i: number): void {
    const position = this.#moment.load(entryFile(this.#entries, 2 * i), entryOffset(this.#entries, 2 * i))
    readRecord(this.#moment, position, this.#record)
  }

  #isVisible(): boolean {
    const { range, now } = this.#options
    const { keyBytes, keyStart, keyEnd, expiresAt } = this.#record
    if (expiresAt !== 0 && expiresAt <= now) return false
    const { lower, upper } = range
    if (lower !== undefined && compareSlices(keyBytes, keyStart, keyEnd, lower, 0, lower.length) < 0) return false
    return upper === undefined || compareSlices(keyBytes, keyStart, keyEnd, upper, 0, upper.length) < 0
  }

  #own(): Entry {
    const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd, sequence, expiresAt, tag, writtenAt } =
      this.#record
    return {
      key: ownedCopy(keyBytes, keyStart, keyEnd),
      value: this.#options.keysOnly ? noBytes : ownedCopy(valueBytes, valueStart, valueEnd),
      sequence,
      expiresAt,
      tag,
      writtenAt,
    }
  }

  #nextSlot(): boolean {
    const resume = this.#resume
    this.#resume = undefined
    const step = this.#options.reverse ? -1 : 1
    const { keydirMoment } = this.#moment
    do {
      this.#slot += step
      if (resume === undefined && this.#firstSlot < this.#lastSlot)
        this.#slot = this.#keydir.nextSlot(this.#slot, step, keydirMoment)
      if (this.#slot < this.#firstSlot || this.#slot > this.#lastSlot) return false
      this.#entries = this.#keydir.entries(this.#slot, keydirMoment)
    } while (this.#entries.length === 0 && resume === undefined)
    this.#order = this.#entries.length === 0 ? noOrder : this.#sorted()
    this.#next = resume === undefined ? 0 : this.#skip(resume)
    return true
  }

  #sorted(): Float64Array {
    const count = this.#entries.length / 2
    const order = new Float64Array(count)
    for (let i = 0; i < count; i++) order[i] = entryFingerprint(this.#entries, 2 * i) * positions + i
    order.sort()
    for (let start = 0; start < count; ) {
      let end = start + 1
      while (end < count && fingerprintAt(order, end) === fingerprintAt(order, start)) end++
      if (end - start > 1) this.#sortByKey(order.subarray(start, end))
      start = end
    }
    return this.#options.reverse ? order.reverse() : order
  }

  #sortByKey(order: Float64Array): void {
    const keyed = Array.from(order, (place) => ({ place, key: this.#keyOf(place % positions) }))
    keyed.sort((a, b) => compareBytes(a.key, b.key))
    for (const [i, { place }] of keyed.entries()) order[i] = place
  }

  #keyOf(i: number): Uint8Array {
    this.#load(i)
    const { keyBytes, keyStart, keyEnd } = this.#record
    return ownedCopy(keyBytes, keyStart, keyEnd)
  }

  /** The first place behind a key of this slot. */
  #skip(after: Uint8Array): number {
    const fingerprint = fingerprintOf(hashKey(after, 0, after.length))
    const sign = this.#options.reverse ? -1 : 1
    let at = 0
    for (; at < this.#order.length; at++) {
      const difference = (fingerprintAt(this.#order, at) - fingerprint) * sign
      if (difference > 0) break
      if (difference === 0 && compareBytes(this.#keyOf(this.#order[at]! % positions), after) * sign > 0) break
    }
    return at
  }
}

const fingerprintAt = (order: Float64Array, i: number) => Math.floor(order[i]! / positions)

/** The order in which a scan comes by two keys. */
export function compareInKeydirOrder(a: Uint8Array, b: Uint8Array): number {
  const slots = slotOfKey(a, 0, a.length) - slotOfKey(b, 0, b.length)
  if (slots !== 0) return slots
  const prints = fingerprintOf(hashKey(a, 0, a.length)) - fingerprintOf(hashKey(b, 0, b.length))
  return prints === 0 ? compareBytes(a, b) : prints
}
