import { readValueTag, type ValueTag } from './value-codec.js'

/**
 * What can be wrong with an answer.
 * `wrong-key`: another record's value. `corrupt`: checksum or length do not match. `stale`: older than a write that was acknowledged
 * before the read began. `lost`: no value although a write was acknowledged. `foreign`: a sequence this generator never wrote.
 */
export type Violation = 'wrong-key' | 'corrupt' | 'stale' | 'lost' | 'foreign'
export const violations: readonly Violation[] = ['wrong-key', 'corrupt', 'stale', 'lost', 'foreign']

interface PendingWrite {
  sequence: number
  /** What `acknowledged` may rise to when this write is acknowledged. */
  floor: number
}

/**
 * Decides whether answers are right. Each write to a record carries the next sequence of that record.
 *
 * Two writes in flight at once may be applied in either order, so the acknowledgement of one does not mean that its sequence is the
 * smallest that may be read from now on: a concurrent write with a smaller sequence may have overwritten it. The floor therefore
 * rises to the smallest sequence that was in flight when the acknowledged write was issued. A write without an acknowledgement (refused, or
 * its connection lost) may still be applied at any time: it stays in flight for ever, as Jepsen's "info" operations do.
 *
 * Memory: 8 bytes per record, one small object per write in flight, and one map entry per record with a write of unknown fate.
 */
export class Verifier {
  #acknowledged: Uint32Array
  #issued: Uint32Array
  #records: number
  readonly #pending = new Map<number, PendingWrite[]>()
  /** Smallest sequence of unknown fate, by record. */
  readonly #uncertain = new Map<number, number>()
  readonly #tag: ValueTag = { record: 0, sequence: 0 }

  constructor(records: number, acknowledged?: Uint32Array, issued?: Uint32Array) {
    this.#records = records
    this.#acknowledged = acknowledged ?? new Uint32Array(records)
    this.#issued = issued ?? new Uint32Array(records)
  }

  get records(): number {
    return this.#records
  }

  /** The sequence for a write that is about to be sent. */
  issue(record: number): number {
    this.#grow(record)
    const sequence = this.#issued[record]! + 1
    this.#issued[record] = sequence
    const uncertain = this.#uncertain.get(record) ?? sequence
    const pending = this.#pending.get(record)
    if (pending === undefined) this.#pending.set(record, [{ sequence, floor: uncertain }])
    else pending.push({ sequence, floor: Math.min(uncertain, pending[0]!.sequence) })
    return sequence
  }

  acknowledge(record: number, sequence: number): void {
    const write = this.#settle(record, sequence)
    if (write !== undefined && write.floor > this.#acknowledged[record]!) this.#acknowledged[record] = write.floor
  }

  /** The write's fate is not known: its value and the one before are both right from now on. */
  abandon(record: number, sequence: number): void {
    if (this.#settle(record, sequence) === undefined) return
    this.#uncertain.set(record, Math.min(sequence, this.#uncertain.get(record) ?? sequence))
  }

  /** The smallest sequence that a read which begins now may return; 0: it may find nothing. */
  floor(record: number): number {
    return record < this.#records ? this.#acknowledged[record]! : 0
  }

  /** @param floor what `floor` said when the read began. */
  judgeAbsent(floor: number): Violation | undefined {
    return floor > 0 ? 'lost' : undefined
  }

  judge(record: number, floor: number, bytes: Uint8Array, start: number, end: number): Violation | undefined {
    const tag = this.#tag
    if (!readValueTag(bytes, start, end, tag)) return 'corrupt'
    if (tag.record !== record) return 'wrong-key'
    if (tag.sequence < floor) return 'stale'
    return this.#wasIssued(tag) ? undefined : 'foreign'
  }

  /** For a scan, which does not say beforehand what it will return. @param keyOf key of a record number. */
  judgeScanned(
    key: string,
    keyOf: (record: number) => string,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): Violation | undefined {
    const tag = this.#tag
    if (!readValueTag(bytes, start, end, tag)) return 'corrupt'
    if (keyOf(tag.record) !== key) return 'wrong-key'
    return this.#wasIssued(tag) ? undefined : 'foreign'
  }

  /** Per record, for the state file: views, valid until the next write. */
  sequences(): { acknowledged: Uint32Array; issued: Uint32Array } {
    return {
      acknowledged: this.#acknowledged.subarray(0, this.#records),
      issued: this.#issued.subarray(0, this.#records),
    }
  }

  #wasIssued(tag: ValueTag): boolean {
    return tag.record < this.#records && tag.sequence > 0 && tag.sequence <= this.#issued[tag.record]!
  }

  #settle(record: number, sequence: number): PendingWrite | undefined {
    const pending = this.#pending.get(record)
    const at = pending?.findIndex((write) => write.sequence === sequence) ?? -1
    if (pending === undefined || at < 0) return undefined
    if (pending.length === 1) this.#pending.delete(record)
    return pending.splice(at, 1)[0]
  }

  #grow(record: number): void {
    if (record < this.#records) return
    this.#records = record + 1
    if (record < this.#issued.length) return
    const length = Math.max(record + 1, this.#issued.length * 2, 1024)
    this.#acknowledged = resized(this.#acknowledged, length)
    this.#issued = resized(this.#issued, length)
  }
}

function resized(array: Uint32Array, length: number): Uint32Array {
  const larger = new Uint32Array(length)
  larger.set(array)
  return larger
}
