import { slotCount } from '../../key-slot.js'
import { chunkRuns, KeydirMemory, lineWords, wordOf } from './keydir-memory.js'

/** Data files are known to the keydir by an index below this. */
export const fileIndexCount = 8192
/** Offsets of records are below this, and multiples of 4. */
export const offsetLimit = 0x8000_0000

const entriesPerLine = lineWords / 2
/** Of the hash, its upper bits: they place an entry in its table, and tell it from its neighbours. */
const fingerprintBits = 22
const fingerprintShift = 32 - fingerprintBits
/** A table grows beyond it, by a quarter: between 64 % and 80 % of its entries are in use. */
const loadMax = 0.8
const loadMin = 0.4
const growth = 1.25
/** A chunk that is cleaned has one dead line for six to move, or more: so cleaning keeps up with what dies. */
const movedPerDeadLine = 8

const linesFor = (entries: number) => Math.ceil(entries / (entriesPerLine * loadMax))
const homeLine = (fingerprint: number, lines: number) => ((fingerprint * lines) / 2 ** fingerprintBits) | 0

/** A slot's table as it was when something first changed after a moment. */
interface SavedTable {
  /** It serves the moments up to this one, down to the one that an earlier saved table serves. */
  moment: number
  words: Uint32Array
  lines: number
}

/** Of the slots that have keys, ascending: columns of one length. */
export interface TableSizes {
  slots: Uint32Array
  lines: Uint32Array
  counts: Uint32Array
}

/** So many keys fit in a table of so many lines: a search ends at a free place. */
export const tableCapacity = (lines: number) => Math.max(lines * entriesPerLine - 1, 0)

/** Bytes of a table of so many lines. */
export const tableBytes = (lines: number) => lines * lineWords * 4

/** The entries of one slot, packed: `words[2 i]` and `words[2 i + 1]` are what `entryFile`, `entryOffset` and `entryFingerprint` read. */
export type PackedEntries = Uint32Array

/**
 * Where the newest record of each key is: 22 bits of the key's hash, the index of a data file and an offset, in 8 bytes; the key
 * itself is compared in the record, by the caller. With slack 10 to 13 bytes a key, outside the JavaScript heap.
 *
 * Each slot has a table of cache lines of 8 entries; an entry is in its home line, or, when that is full, in the next line that
 * is not. So a lookup touches one line (rarely two) and then the record. Removal moves displaced entries back: nothing
 * is left behind. A table grows alone, by a quarter: at 100 million keys some 6,000 entries at a time, in well under a
 * millisecond. Keys of one slot can be listed without a pass over the rest.
 *
 * Rejected: one table (growing it stops everything, or two are searched for a while); extendible hashing with pages of one size
 * (all pages split at about the same number of keys, so that at its worst half of the memory is empty); wider entries
 * (20 % fewer of them in a line). The limit of the small fingerprint: of several million keys under one hash tag, a lookup compares
 * several.
 *
 * `find` leaves the cursor on an entry; the calls that read or change "the entry found" follow it at once.
 */
export class Keydir {
  /** Per slot: position of its table, lines of it (0: none). */
  readonly #root = new Uint32Array(2 * slotCount)
  readonly #counts = new Uint32Array(slotCount)
  readonly #memory = new KeydirMemory()
  #size = 0

  /** The slot whose table is next to be moved, if it is in the chunk that is being cleaned. */
  #cleanNext = 0

  // The cursor: table, fingerprint looked for, and the entry.
  #words: Uint32Array = new Uint32Array(0)
  #slot = 0
  #base = 0
  #lines = 0
  #fingerprint = 0
  #at = 0

  // Moments: versions of tables for those who read at a past one.
  #newestMoment = 0
  readonly #openMoments = new Set<number>()
  readonly #saved = new Map<number, SavedTable[]>()
  readonly #savedUpTo = new Float64Array(slotCount)

  get size(): number {
    return this.#size
  }

  /** Everything it holds in memory, tables of past moments included. */
  get byteLength(): number {
    let bytes = this.#memory.byteLength + this.#root.byteLength + this.#counts.byteLength + this.#savedUpTo.byteLength
    for (const tables of this.#saved.values()) for (const { words } of tables) bytes += words.byteLength
    return bytes
  }

  // Lookup

  /** Whether there is an entry that may be the key's. `moment` as of `openMoment`, 0: now. */
  find(slot: number, hash: number, moment = 0): boolean {
    const saved = moment === 0 ? undefined : this.#savedAt(slot, moment)
    if (saved !== undefined) {
      this.#words = saved.words
      this.#base = 0
      this.#lines = saved.lines
    } else {
      const position = this.#root[2 * slot]!
      this.#lines = this.#root[2 * slot + 1]!
      if (this.#lines === 0) return false
      this.#words = this.#memory.words(position)
      this.#base = wordOf(position)
    }
    if (this.#lines === 0) return false
    this.#slot = slot
    this.#fingerprint = hash >>> fingerprintShift
    return this.#search(this.#base + homeLine(this.#fingerprint, this.#lines) * lineWords)
  }

  /** The next such entry, when the one found turned out to be another key's. */
  findNext(): boolean {
    const next = this.#at + 2
    return this.#search((next - this.#base) % lineWords === 0 ? this.#lineAfter(next - lineWords) : next)
  }

  /** Ends at a line that is not full: there is one, since no table is. */
  #search(from: number): boolean {
    const words = this.#words
    const fingerprint = this.#fingerprint
    for (let at = from; ; ) {
      if (words[at + 1] === 0) return false
      if (words[at]! >>> fingerprintShift === fingerprint) {
        this.#at = at
        return true
      }
      at += 2
      if ((at - this.#base) % lineWords === 0) at = this.#lineAfter(at - lineWords)
    }
  }

  #lineAfter(line: number): number {
    const next = line + lineWords
    return next === this.#base + this.#lines * lineWords ? this.#base : next
  }

  /** File index of the entry found. */
  get file(): number {
    return entryFile(this.#words, this.#at)
  }

  get offset(): number {
    return entryOffset(this.#words, this.#at)
  }

  // Changes

  /** Points the entry found at another record of its key. */
  replace(file: number, offset: number): void {
    this.#preserve(this.#slot)
    writeEntry(this.#words, this.#at, this.#fingerprint, file, offset)
  }

  /** Enters a key that `find` did not find. */
  insert(slot: number, hash: number, file: number, offset: number): void {
    this.#preserve(slot)
    const count = ++this.#counts[slot]!
    this.#size++
    const lines = this.#root[2 * slot + 1]!
    if (count > lines * entriesPerLine * loadMax)
      this.#resize(slot, Math.max(lines + 1, linesFor(Math.ceil(count * growth))))
    const position = this.#root[2 * slot]!
    const words = this.#memory.words(position)
    const at = place(words, wordOf(position), this.#root[2 * slot + 1]!, hash >>> fingerprintShift)
    writeEntry(words, at, hash >>> fingerprintShift, file, offset)
  }

  /** Takes the entry found out. */
  remove(): void {
    const slot = this.#slot
    this.#preserve(slot)
    this.#closeGap(this.#at)
    const count = --this.#counts[slot]!
    this.#size--
    const lines = this.#root[2 * slot + 1]!
    if (count < lines * entriesPerLine * loadMin && linesFor(Math.ceil(count * growth)) < lines)
      this.#resize(slot, linesFor(Math.ceil(count * growth)))
  }

  /** Fills a place with the last entry of its line, and the place that leaves with one that was displaced from there. */
  #closeGap(from: number): void {
    const words = this.#words
    for (let gap = from; ; ) {
      const line = gap - ((gap - this.#base) % lineWords)
      let last = line + lineWords - 2
      const wasFull = words[last + 1] !== 0
      while (words[last + 1] === 0) last -= 2
      moveEntry(words, last, gap)
      if (!wasFull) return
      gap = this.#displacedBeyond(line)
      if (gap < 0) return
      words[last] = words[gap]!
      words[last + 1] = words[gap + 1]!
    }
  }

  /** An entry behind `line` that would be in it, or before it, had there been room; -1: none. */
  #displacedBeyond(line: number): number {
    const words = this.#words
    const lines = this.#lines
    const number = (line - this.#base) / lineWords
    for (let distance = 1; distance < lines; distance++) {
      const here = (number + distance) % lines
      const start = this.#base + here * lineWords
      for (let at = start; at < start + lineWords; at += 2) {
        if (words[at + 1] === 0) return -1
        const home = homeLine(words[at]! >>> fingerprintShift, lines)
        if ((here - home + lines) % lines >= distance) return at
      }
    }
    return -1
  }

  #resize(slot: number, lines: number): void {
    const oldPosition = this.#root[2 * slot]!
    const oldLines = this.#root[2 * slot + 1]!
    const old = oldLines === 0 ? undefined : this.#memory.words(oldPosition)
    const position = lines === 0 ? 0 : this.#memory.allocate(lines)
    if (old !== undefined) {
      const oldBase = wordOf(oldPosition)
      if (lines > 0) {
        const words = this.#memory.words(position)
        const base = wordOf(position)
        for (let at = oldBase; at < oldBase + oldLines * lineWords; at += 2) {
          if (old[at + 1] === 0) continue
          const to = place(words, base, lines, old[at]! >>> fingerprintShift)
          words[to] = old[at]!
          words[to + 1] = old[at + 1]!
        }
      }
      this.#memory.release(oldPosition, oldLines)
    }
    this.#root[2 * slot] = position
    this.#root[2 * slot + 1] = lines
    this.#clean(oldLines * movedPerDeadLine)
  }

  /** Moves tables of the chunk that is being cleaned, up to so many lines. */
  #clean(linesMax: number): void {
    const chunk = this.#memory.toClean()
    if (chunk < 0) return
    const root = this.#root
    let moved = 0
    for (let seen = 0; seen < slotCount && moved < linesMax && this.#memory.cleaning === chunk; seen++) {
      const slot = this.#cleanNext
      this.#cleanNext = (slot + 1) % slotCount
      const lines = root[2 * slot + 1]!
      const old = root[2 * slot]!
      if (lines === 0 || old >>> 16 !== chunk) continue
      moved += lines
      const position = this.#memory.allocate(lines)
      const from = wordOf(old)
      this.#memory
        .words(position)
        .set(this.#memory.words(old).subarray(from, from + lines * lineWords), wordOf(position))
      root[2 * slot] = position
      this.#memory.release(old, lines)
    }
  }

  // Whole slots

  /** The first slot from `slot` on, in steps of 1 or -1, that may have had entries at the moment (0: now); outside of all slots: none. */
  nextSlot(slot: number, step: number, moment: number): number {
    const counts = this.#counts
    const savedUpTo = this.#savedUpTo
    while (counts[slot] === 0 && (moment === 0 || savedUpTo[slot]! < moment)) slot += step
    return slot
  }

  /** A copy of a slot's entries, in no order. `moment` as of `openMoment`, 0: now. */
  entries(slot: number, moment = 0): PackedEntries {
    const saved = moment === 0 || this.#saved.size === 0 ? undefined : this.#savedAt(slot, moment)
    const position = this.#root[2 * slot]!
    const lines = saved?.lines ?? this.#root[2 * slot + 1]!
    if (lines === 0) return noEntries
    const words = saved?.words ?? this.#memory.words(position)
    const base = saved === undefined ? wordOf(position) : 0
    const packed = new Uint32Array(lines * lineWords)
    let length = 0
    for (let at = base; at < base + lines * lineWords; at += 2) {
      if (words[at + 1] === 0) continue
      packed[length++] = words[at]!
      packed[length++] = words[at + 1]!
    }
    return packed.subarray(0, length)
  }

  /** Shows a slot's entries as they are now, which must not change meanwhile. Returns how many there are. */
  visit(slot: number, visitor: (file: number, offset: number) => void): number {
    const lines = this.#root[2 * slot + 1]!
    if (lines === 0) return 0
    const position = this.#root[2 * slot]!
    const words = this.#memory.words(position)
    const base = wordOf(position)
    const end = base + lines * lineWords
    for (let at = base; at < end; at += 2)
      if (words[at + 1] !== 0) visitor(entryFile(words, at), entryOffset(words, at))
    return this.#counts[slot]!
  }

  /** Fills a slot that is empty: as fast as memory can be copied, with no growing on the way. */
  load(slot: number, entries: PackedEntries): void {
    const count = entries.length / 2
    if (count === 0) return
    this.#preserve(slot)
    const lines = linesFor(Math.ceil(count * growth))
    const position = this.#memory.allocate(lines)
    const words = this.#memory.words(position)
    const base = wordOf(position)
    for (let i = 0; i < entries.length; i += 2) {
      const at = place(words, base, lines, entries[i]! >>> fingerprintShift)
      words[at] = entries[i]!
      words[at + 1] = entries[i + 1]!
    }
    this.#root[2 * slot] = position
    this.#root[2 * slot + 1] = lines
    this.#counts[slot] = count
    this.#size += count
  }

  /** Lines of each slot's table, and keys in it: with `tables` all that `restore` needs. */
  tableSizes(): TableSizes {
    const slots: number[] = []
    for (let slot = this.nextSlot(0, 1, 0); slot < slotCount; slot = this.nextSlot(slot + 1, 1, 0)) slots.push(slot)
    return {
      slots: Uint32Array.from(slots),
      lines: Uint32Array.from(slots, (slot) => this.#root[2 * slot + 1]!),
      counts: Uint32Array.from(slots, (slot) => this.#counts[slot]!),
    }
  }

  /** The tables themselves, of the sizes that they have now: runs of slots at a time, at most 4 MiB unless a slot has more; each is valid until the next. */
  *tables({ slots, lines }: TableSizes): Generator<Uint32Array> {
    let copy = new Uint32Array(0)
    for (const run of chunkRuns(lines)) {
      if (copy.length < run.lines * lineWords) copy = new Uint32Array(run.lines * lineWords)
      let at = 0
      for (const slot of slots.subarray(run.first, run.end)) {
        const position = this.#root[2 * slot]!
        const from = wordOf(position)
        const words = this.#root[2 * slot + 1]! * lineWords
        copy.set(this.#memory.words(position).subarray(from, from + words), at)
        at += words
      }
      yield copy.subarray(0, at)
    }
  }

  /**
   * Makes an empty keydir what another was, at the speed of `fill`, which is given the memory for each run of `tables`. If `fill`
   * throws, the keydir is empty again.
   */
  restore({ slots, lines, counts }: TableSizes, fill: (words: Uint32Array) => void): void {
    try {
      for (const run of chunkRuns(lines)) {
        let position = this.#memory.allocateRun(run)
        const from = wordOf(position)
        try {
          fill(this.#memory.words(position).subarray(from, from + run.lines * lineWords))
        } catch (error) {
          this.#memory.release(position, run.lines)
          throw error
        }
        for (let table = run.first; table < run.end; table++) {
          const slot = slots[table]!
          this.#root[2 * slot] = position
          this.#root[2 * slot + 1] = lines[table]!
          this.#counts[slot] = counts[table]!
          this.#size += counts[table]!
          position += lines[table]!
        }
      }
    } catch (error) {
      this.clear()
      throw error
    }
  }

  /** Takes everything out. */
  clear(): void {
    for (let slot = this.nextSlot(0, 1, 0); slot < slotCount; slot = this.nextSlot(slot + 1, 1, 0)) {
      const lines = this.#root[2 * slot + 1]!
      this.#preserve(slot)
      this.#memory.release(this.#root[2 * slot]!, lines)
      this.#root[2 * slot + 1] = 0
      this.#counts[slot] = 0
    }
    this.#size = 0
  }

  // Moments

  /**
   * From now on until `closeMoment`, `find` and `entries` can be asked for what is there now. O(1); afterwards the first change of each
   * slot copies its table.
   */
  openMoment(): number {
    this.#openMoments.add(++this.#newestMoment)
    return this.#newestMoment
  }

  closeMoment(moment: number): void {
    this.#openMoments.delete(moment)
    if (this.#openMoments.size === 0) this.#saved.clear()
    for (const [slot, tables] of this.#saved) {
      const kept = tables.filter((table, i) => this.#isOpen(tables[i - 1]?.moment ?? 0, table.moment))
      if (kept.length === 0) this.#saved.delete(slot)
      else this.#saved.set(slot, kept)
    }
  }

  #isOpen(after: number, upTo: number): boolean {
    for (const moment of this.#openMoments) if (moment > after && moment <= upTo) return true
    return false
  }

  #savedAt(slot: number, moment: number): SavedTable | undefined {
    return this.#saved.get(slot)?.find((table) => table.moment >= moment)
  }

  #preserve(slot: number): void {
    if (this.#openMoments.size === 0 || this.#savedUpTo[slot]! >= this.#newestMoment) return
    this.#savedUpTo[slot] = this.#newestMoment
    const position = this.#root[2 * slot]!
    const lines = this.#root[2 * slot + 1]!
    const base = wordOf(position)
    const words = lines === 0 ? new Uint32Array(0) : this.#memory.words(position).slice(base, base + lines * lineWords)
    const tables = this.#saved.get(slot)
    const saved = { moment: this.#newestMoment, words, lines }
    if (tables === undefined) this.#saved.set(slot, [saved])
    else tables.push(saved)
  }
}

/** The first free place for a fingerprint. */
function place(words: Uint32Array, base: number, lines: number, fingerprint: number): number {
  const end = base + lines * lineWords
  let at = base + homeLine(fingerprint, lines) * lineWords
  while (words[at + 1] !== 0) {
    at += 2
    if (at === end) at = base
  }
  return at
}

/** Moves an entry within its line; the place it leaves is free. */
function moveEntry(words: Uint32Array, from: number, to: number): void {
  const first = words[from]!
  const second = words[from + 1]!
  words[from] = 0
  words[from + 1] = 0
  if (from === to) return
  words[to] = first
  words[to + 1] = second
}

const noEntries: PackedEntries = new Uint32Array(0)

// An entry: fingerprint (22 bits) | file (13) | offset / 4 (29). A second word of 0 is a free place, since no record is at offset 0.

export function writeEntry(words: Uint32Array, at: number, fingerprint: number, file: number, offset: number): void {
  words[at] = (fingerprint << fingerprintShift) | (file >>> 3)
  words[at + 1] = (file << 29) | (offset >>> 2)
}

export const fingerprintOf = (hash: number) => hash >>> fingerprintShift
export const entryFingerprint = (words: Uint32Array, at: number) => words[at]! >>> fingerprintShift
export const entryFile = (words: Uint32Array, at: number) => ((words[at]! & 0x3ff) << 3) | (words[at + 1]! >>> 29)
export const entryOffset = (words: Uint32Array, at: number) => (words[at + 1]! & 0x1fff_ffff) << 2
