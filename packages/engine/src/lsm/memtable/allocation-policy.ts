/**
 * How much of a segment is really allocated, ahead of its writer: little at first, so that a small store takes little; then
 * in steps that grow to an eighth of it, so that a busy one is seldom interrupted (64 MiB: 256 KiB at first, steps up to 8 MiB).
 */
export function firstAllocation(capacity: number): number {
  return Math.min(capacity, Math.max(allocationBytesMin, capacity >>> 8))
}

/** The next step, and at least `needed`. */
export function nextAllocation(allocated: number, capacity: number, needed: number): number {
  const step = Math.min(allocated, Math.max(allocationBytesMin, capacity >>> 3))
  return Math.min(capacity, Math.max(allocated + step, needed))
}

const allocationBytesMin = 8 << 10
