import type { Reply } from './driver.js'
import type { InFlightRing } from './in-flight-ring.js'
import type { RunTally } from './run-tally.js'
import type { Verifier } from './verifier.js'
import { scanOperation } from './workload.js'

/** Puts each answer to a read before the verifier, and what it finds into the tally. */
export class ReplyJudge {
  readonly #verifier: Verifier
  readonly #tally: RunTally
  readonly #keyOf: (record: number) => string

  constructor(verifier: Verifier, tally: RunTally, keyOf: (record: number) => string) {
    this.#verifier = verifier
    this.#tally = tally
    this.#keyOf = keyOf
  }

  /** @param slot the request in `ring` that `reply` answers. */
  judge(ring: InFlightRing, slot: number, reply: Reply): void {
    this.#tally.verified += reply.count
    if (ring.kinds[slot] === scanOperation) this.#judgeScan(ring, slot, reply)
    else this.#judgeRead(ring, slot, reply)
  }

  #judgeRead(ring: InFlightRing, slot: number, reply: Reply): void {
    const verifier = this.#verifier
    const base = slot * ring.batch
    const count = ring.counts[slot]!
    const named = reply.keys[0]
    if (count === 1 && named !== undefined && named !== this.#keyOf(ring.records[base]!)) {
      this.#tally.violation('wrong-key', () => `asked for ${this.#keyOf(ring.records[base]!)}, answered with ${named}`)
      return
    }
    for (let i = 0; i < count; i++) {
      const record = ring.records[base + i]!
      const floor = ring.floors[base + i]!
      const at = this.#itemOf(reply, i, record)
      const absent = at < 0 || reply.starts[at]! < 0
      const violation = absent
        ? verifier.judgeAbsent(floor)
        : verifier.judge(record, floor, reply.bytes, reply.starts[at]!, reply.ends[at]!)
      if (violation !== undefined) this.#tally.violation(violation, () => `key ${this.#keyOf(record)}`)
    }
  }

  /** A range holds the record it was asked from, so it cannot be empty; its keys ascend; each value belongs to its key. */
  #judgeScan(ring: InFlightRing, slot: number, reply: Reply): void {
    const base = slot * ring.batch
    if (reply.count === 0) {
      const violation = this.#verifier.judgeAbsent(ring.floors[base]!)
      if (violation !== undefined) {
        this.#tally.violation(violation, () => `a range that holds ${this.#keyOf(ring.records[base]!)} came back empty`)
      }
    }
    let before = ''
    for (let i = 0; i < reply.count; i++) {
      const key = reply.keys[i] ?? ''
      const previous = before
      if (key <= previous) this.#tally.violation('wrong-key', () => `a range has ${key} after ${previous}`)
      before = key
      const violation = this.#verifier.judgeScanned(key, this.#keyOf, reply.bytes, reply.starts[i]!, reply.ends[i]!)
      if (violation !== undefined) this.#tally.violation(violation, () => `key ${key}`)
    }
  }

  /** Where in the reply record `i` of the request is: by its key where the server names keys, else by position. -1: nowhere. */
  #itemOf(reply: Reply, i: number, record: number): number {
    if (i < reply.count && reply.keys[i] === undefined) return i
    const key = this.#keyOf(record)
    if (i < reply.count && reply.keys[i] === key) return i
    const at = reply.keys.indexOf(key)
    return at < reply.count ? at : -1
  }
}
