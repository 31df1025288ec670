import { mergeRuns, sortRecords } from './memtable-sort.js'
import { align8, frameHeaderBytes, framesStart } from './segment-format.js'
import { isRangeRecord, recordEnd, type SegmentBytes } from './segment-record.js'

/**
 * Sorted order of a memtable, made when someone asks: runs of record offsets, each sorted, of falling size. New records
 * become a run; runs of like size are merged (the logarithmic method, Bentley and Saxe 1980), so n records cost
 * O(n log n) in all however often order is asked for, and puts cost nothing.
 */
export class MemtableOrder {
  #runs: Uint32Array[] = []
  #upTo = framesStart

  get byteLength(): number {
    return this.#runs.reduce((sum, run) => sum + run.byteLength, 0)
  }

  /** Runs over every record before `end`, where a frame ends. */
  runs(segment: SegmentBytes, end: number): readonly Uint32Array[] {
    const fresh = recordsBetween(segment, this.#upTo, end)
    if (fresh.length > 0) this.#add(segment, Uint32Array.from(fresh))
    this.#upTo = end
    return [...this.#runs]
  }

  #add(segment: SegmentBytes, run: Uint32Array): void {
    sortRecords(segment, run)
    let merged = run
    while (this.#runs.length > 0 && this.#runs.at(-1)!.length < 2 * merged.length) {
      merged = mergeRuns(segment, this.#runs.pop()!, merged)
    }
    this.#runs.push(merged)
  }
}

/** Offsets of the records of the whole frames in [from, to), which begins and ends at a frame; not of deleted ranges. */
export function recordsBetween({ view }: SegmentBytes, from: number, to: number): number[] {
  const offsets: number[] = []
  for (let frame = from; frame < to; ) {
    const end = frame + frameHeaderBytes + view.getUint32(frame + 4, true)
    for (let record = frame + frameHeaderBytes; record < end; record = recordEnd(view, record)) {
      if (!isRangeRecord(view, record)) offsets.push(record)
    }
    frame = align8(end)
  }
  return offsets
}
