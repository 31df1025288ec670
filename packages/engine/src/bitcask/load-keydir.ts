import { slotCount } from '../key-slot.js'
import type { DataFile } from './data-file.js'
import type { HintReader } from './hint-format.js'
import { fingerprintOf, type Keydir, writeEntry } from './keydir/keydir.js'

/** One data file and what its hint says of it. */
export interface Hinted {
  file: DataFile
  hint: HintReader
}

const free = -1

/**
 * Fills an empty keydir: slot by slot the entries of all hints are brought together, of each key the one with the highest sequence
 * counts, and is entered unless it is a tombstone. So files may come in any order, a record that a merge has moved stays where it was in
 * time, and a tombstone hides what is older in every file. No record is read. Some 50 ns for each entry of the hints.
 */
export function loadKeydir(keydir: Keydir, hinted: readonly Hinted[]): void {
  const positions = new Uint32Array(hinted.length)
  const winners = new SlotWinners(hinted)
  const next = () => {
    let least = slotCount
    for (const [source, { hint }] of hinted.entries()) {
      const i = positions[source]!
      if (i < hint.count) least = Math.min(least, hint.slot(i))
    }
    return least
  }
  for (let slot = next(); slot < slotCount; slot = next()) {
    winners.begin()
    for (const [source, { hint }] of hinted.entries()) {
      let i = positions[source]!
      while (i < hint.count && hint.slot(i) === slot) winners.offer(source, i++)
      positions[source] = i
    }
    winners.enter(keydir, slot)
  }
}

/** The newest entry of each key of one slot. */
class SlotWinners {
  readonly #hinted: readonly Hinted[]
  /** Open addressing by hash, into the lists below. */
  #table: Int32Array = new Int32Array(64)
  #sources: Uint32Array = new Uint32Array(32)
  #entries: Uint32Array = new Uint32Array(32)
  #count = 0

  constructor(hinted: readonly Hinted[]) {
    this.#hinted = hinted
  }

  begin(): void {
    this.#table.fill(free)
    this.#count = 0
  }

  offer(source: number, i: number): void {
    const { hint } = this.#hinted[source]!
    const hash = hint.hash(i)
    const mask = this.#table.length - 1
    let at = hash & mask
    for (; this.#table[at] !== free; at = (at + 1) & mask) {
      const known = this.#table[at]!
      const other = this.#hinted[this.#sources[known]!]!.hint
      const j = this.#entries[known]!
      if (other.hash(j) !== hash || other.identityLow(j) !== hint.identityLow(i)) continue
      if (other.identityHigh(j) !== hint.identityHigh(i)) continue
      if (hint.sequence(i) > other.sequence(j)) {
        this.#sources[known] = source
        this.#entries[known] = i
      }
      return
    }
    this.#table[at] = this.#count
    this.#sources[this.#count] = source
    this.#entries[this.#count++] = i
    if (2 * this.#count >= this.#table.length) this.#grow()
  }

  #grow(): void {
    this.#sources = grown(this.#sources)
    this.#entries = grown(this.#entries)
    this.#table = new Int32Array(2 * this.#table.length).fill(free)
    const mask = this.#table.length - 1
    for (let known = 0; known < this.#count; known++) {
      let at = this.#hinted[this.#sources[known]!]!.hint.hash(this.#entries[known]!) & mask
      while (this.#table[at] !== free) at = (at + 1) & mask
      this.#table[at] = known
    }
  }

  enter(keydir: Keydir, slot: number): void {
    const packed = new Uint32Array(2 * this.#count)
    let length = 0
    for (let known = 0; known < this.#count; known++) {
      const { file, hint } = this.#hinted[this.#sources[known]!]!
      const i = this.#entries[known]!
      if (hint.isTombstone(i)) continue
      writeEntry(packed, length, fingerprintOf(hint.hash(i)), file.index, hint.offset(i))
      file.liveBytes += hint.size(i)
      length += 2
    }
    keydir.load(slot, packed.subarray(0, length))
  }
}

function grown(list: Uint32Array): Uint32Array {
  const larger = new Uint32Array(2 * list.length)
  larger.set(list)
  return larger
}
