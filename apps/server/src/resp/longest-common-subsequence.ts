export interface CommonRange {
  aStart: number
  aEnd: number
  bStart: number
  bEnd: number
}

export interface CommonSubsequence {
  length: number
  /** Absent when only the length was asked for. */
  bytes: Buffer
  /** Runs in both, from the last to the first; ends inclusive. */
  ranges: CommonRange[]
}

/**
 * Longest common subsequence by the classic table, ties broken as Redis breaks them so that the bytes and ranges are the
 * same. Time and memory are (a + 1) x (b + 1), 4 bytes each: the caller bounds it.
 */
export function longestCommonSubsequence(a: Uint8Array, b: Uint8Array): CommonSubsequence {
  const width = b.length + 1
  const table = new Uint32Array((a.length + 1) * width)
  for (let i = 1; i <= a.length; i++) {
    const row = i * width
    for (let j = 1; j <= b.length; j++) {
      if (a[i - 1] === b[j - 1]) table[row + j] = table[row - width + j - 1]! + 1
      else table[row + j] = Math.max(table[row - width + j]!, table[row + j - 1]!)
    }
  }
  const length = table[a.length * width + b.length]!
  const bytes = Buffer.allocUnsafe(length)
  const ranges: CommonRange[] = []
  let left = length
  let i = a.length
  let j = b.length
  let run: CommonRange | undefined
  while (i > 0 && j > 0) {
    let ended = false
    if (a[i - 1] === b[j - 1]) {
      bytes[--left] = a[i - 1]!
      if (run === undefined) {
        run = { aStart: i - 1, aEnd: i - 1, bStart: j - 1, bEnd: j - 1 }
      } else if (run.aStart === i && run.bStart === j) {
        run.aStart--
        run.bStart--
      } else {
        ended = true
      }
      if (run.aStart === 0 || run.bStart === 0) ended = true
      i--
      j--
    } else {
      if (table[(i - 1) * width + j]! > table[i * width + j - 1]!) i--
      else j--
      ended = run !== undefined
    }
    if (ended && run !== undefined) {
      ranges.push(run)
      run = undefined
    }
  }
  return { length, bytes, ranges }
}
