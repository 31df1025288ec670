/**
 * Off-heap hash index from a key's hash to its newest record in the segment: open addressing with linear probing, hash and
 * offset side by side, so that a lookup touches one cache line and then the record. Entries are never removed: an offset
 * of 0 marks one whose record was taken back. Keys are compared by the caller, who has the segment's bytes. The slots are
 * shared memory: the thread that flushes a sealed memtable reads them instead of finding the newest records anew.
 */
export class MemtableIndex {
  #slots: Uint32Array
  #mask: number
  #used = 0
  #growAt: number
  /** Entered keys at which `insert` has more to do than that. */
  #stepAt: number
  #next: NextSlots | undefined

  readonly #segmentBytes: number

  /** Offsets lie below `segmentBytes`. Up to `keysExpected` it need not grow: slots that are never touched take no memory. */
  constructor(segmentBytes: number, keysExpected = 0) {
    this.#segmentBytes = segmentBytes
    const capacity = capacityFor(keysExpected)
    this.#slots = newSlots(capacity)
    this.#mask = capacity - 1
    this.#growAt = keysMax(capacity)
    this.#stepAt = this.#growAt >>> 1
  }

  /** Distinct keys entered. */
  get size(): number {
    return this.#used
  }

  get byteLength(): number {
    return this.#slots.byteLength
  }

  /** For `newestOffsets`, on any thread, once nothing is entered any more. */
  get slots(): Uint32Array {
    return this.#slots
  }

  /** What is in the slot where the search for `hash` begins: for whoever only wants it in the processor's cache. */
  slotAt(hash: number): number {
    return this.#slots[2 * (hash & this.#mask)]!
  }

  /** The first slot that holds `hash`, or -1 - s where s is the free slot to insert it in. */
  probe(hash: number): number {
    return this.#probeFrom(hash, hash & this.#mask)
  }

  /** The next one after `slot`, whose key turned out to be another. */
  probeAfter(hash: number, slot: number): number {
    return this.#probeFrom(hash, (slot + 1) & this.#mask)
  }

  #probeFrom(hash: number, from: number): number {
    const slots = this.#slots
    const mask = this.#mask
    for (let slot = from; ; slot = (slot + 1) & mask) {
      if (slots[2 * slot + 1] === freeSlot) return -1 - slot
      if (slots[2 * slot] === hash) return slot
    }
  }

  /** 0: taken back. */
  offsetAt(slot: number): number {
    return recordAt(this.#slots[2 * slot + 1]!)
  }

  setAt(slot: number, offset: number): void {
    this.#slots[2 * slot + 1] = offset === 0 ? takenBack : offset
  }

  /** Enters a key in the free slot that `probe` found. */
  insert(freeSlotFound: number, hash: number, offset: number): void {
    this.#slots[2 * freeSlotFound] = hash
    this.#slots[2 * freeSlotFound + 1] = offset
    if (++this.#used >= this.#stepAt) this.#step(offset)
  }

  #step(offset: number): void {
    if (this.#used >= this.#growAt) this.#grow(offset)
    else if (this.#next !== undefined) this.#stepAt = this.#next.touch() ? this.#used + 1 : this.#growAt
    else if (this.#expected(offset) < this.#growAt) this.#stepAt = this.#growAt
    else this.#next = new NextSlots(this.#grown(offset), this.#growAt - this.#used)
  }

  /** How many keys the segment will hold if it goes on like this. */
  #expected(offset: number): number {
    return this.#used * (this.#segmentBytes / offset)
  }

  /** The capacity to grow to, in few steps: the writer waits while entries move. */
  #grown(offset: number): number {
    const old = this.#slots.length
    const capacity = capacityFor(this.#expected(offset))
    return Math.max(Math.min(capacity, old <= guessFrom ? 4 * old : Infinity), old)
  }

  #grow(offset: number): void {
    const old = this.#slots
    const slots = this.#next?.slots ?? newSlots(this.#grown(offset))
    this.#next = undefined
    const capacity = slots.length >>> 1
    const mask = capacity - 1
    for (let i = 0; i < old.length; i += 2) {
      const offset = old[i + 1]!
      if (offset === freeSlot) continue
      const hash = old[i]!
      let slot = hash & mask
      while (slots[2 * slot + 1] !== freeSlot) slot = (slot + 1) & mask
      slots[2 * slot] = hash
      slots[2 * slot + 1] = offset
    }
    this.#slots = slots
    this.#mask = mask
    this.#growAt = keysMax(capacity)
    this.#stepAt = this.#growAt >>> 1
  }
}

/**
 * Slots made ahead of the growth, and their pages touched by the inserts before it: the kernel takes some 10 µs to come up
 * with a page, and 2,048 of them in one put are a stop of 25 ms.
 */
class NextSlots {
  readonly slots: Uint32Array
  readonly #perStep: number
  #touched = 0

  constructor(capacity: number, steps: number) {
    this.slots = newSlots(capacity)
    this.#perStep = pageWords * Math.ceil(this.slots.length / pageWords / steps)
  }

  /** Whether pages are left. */
  touch(): boolean {
    const end = Math.min(this.#touched + this.#perStep, this.slots.length)
    for (; this.#touched < end; this.#touched += pageWords) this.slots[this.#touched] = 0
    return end < this.slots.length
  }
}

/** Of the smallest page, in slots' words. */
const pageWords = 4096 / 4

/** Offsets of the newest record of each key, in no order. */
export function newestOffsets(slots: Uint32Array): Uint32Array {
  const offsets = new Uint32Array(slots.length >>> 1)
  let count = 0
  for (let i = 1; i < slots.length; i += 2) if (slots[i]! > takenBack) offsets[count++] = slots[i]!
  return offsets.subarray(0, count)
}

const capacityMin = 4096
/** Slots up to which what the segment will hold is still a guess: it then grows eightfold at most. */
const guessFrom = 2 * 4096
/** How many keys fit before it grows. */
const keysMax = (capacity: number) => (capacity * 3) >>> 2

/** The power of two that holds so many keys. */
function capacityFor(keys: number): number {
  let capacity = capacityMin
  while (keysMax(capacity) <= keys) capacity *= 2
  return capacity
}

const newSlots = (capacity: number) => new Uint32Array(new SharedArrayBuffer(capacity * 8))
const freeSlot = 0
/** No record starts at offset 1: frames begin on page 1. */
const takenBack = 1
const recordAt = (offset: number) => (offset === takenBack ? 0 : offset)
