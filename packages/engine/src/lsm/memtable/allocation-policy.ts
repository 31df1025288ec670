/**
 * How much of a segment is really allocated, ahead of its writer: little at first, so that a small store takes little; then
 * as much again each time, so that what is allocated ahead lasts: a busy ext4 takes up to 0.4 s over it (64 MiB: 256 KiB at first).
 */
export function firstAllocation(capacity: number): number {
  return Math.min(capacity, Math.max(allocationBytesMin, capacity >>> 8))
}

/** The next step, and at least `needed`. */
export function nextAllocation(allocated: number, capacity: number, needed: number): number {
  return Math.min(capacity, Math.max(2 * allocated, allocationBytesMin, needed))
}

const allocationBytesMin = 8 << 10
