/** What is known of a data file's records without reading them. */
export interface DataSummary {
  records: number
  /** Of all records, each as `recordFrameBytes` counts it. */
  bytes: number
  tombstones: number
  /** 0 when it holds no records. */
  smallestSequence: number
  largestSequence: number
  /** Bytes of records that expire, and between which moments. */
  expiringBytes: number
  expiresFrom: number
  expiresBy: number
}

export const emptySummary = (): DataSummary => ({
  records: 0,
  bytes: 0,
  tombstones: 0,
  smallestSequence: 0,
  largestSequence: 0,
  expiringBytes: 0,
  expiresFrom: 0,
  expiresBy: 0,
})

/** Sequences come in any order in files that a merge has written. */
export function addToSummary(
  summary: DataSummary,
  sequence: number,
  isTombstone: boolean,
  bytes: number,
  expiresAt: number,
): void {
  summary.records++
  summary.bytes += bytes
  if (isTombstone) summary.tombstones++
  if (summary.smallestSequence === 0 || sequence < summary.smallestSequence) summary.smallestSequence = sequence
  if (sequence > summary.largestSequence) summary.largestSequence = sequence
  if (expiresAt === 0) return
  summary.expiringBytes += bytes
  if (summary.expiresFrom === 0 || expiresAt < summary.expiresFrom) summary.expiresFrom = expiresAt
  if (expiresAt > summary.expiresBy) summary.expiresBy = expiresAt
}
