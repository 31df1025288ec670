/** A flushed segment that is kept for `changes`. */
export interface KeptSegment {
  number: number
  /** Of its file. */
  bytes: number
}

/** Which of the kept segments (oldest first) go, so that the others take at most `bytesMax`. */
export function chooseForgotten(kept: readonly KeptSegment[], bytesMax: number): number[] {
  let bytes = 0
  const fits = kept.findLastIndex((segment) => {
    bytes += segment.bytes
    return bytes > bytesMax
  })
  return kept.slice(0, fits + 1).map(({ number }) => number)
}
