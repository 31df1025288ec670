export interface Sample {
  seconds: number
  value: number
}

export interface Growth {
  /** Median of the samples. */
  median: number
  /** What the trend adds from the first sample to the last. */
  grown: number
}

/** Trends are estimated from so many samples at most: their pairs are all looked at. */
const samplesMax = 400

/**
 * Trend of a figure by the Theil-Sen estimator: the median slope of all pairs of samples. Unlike least squares it does not mind
 * the saw-tooth of a garbage collector or a compaction, nor single peaks, up to 29 % of the samples.
 */
export function growthOf(samples: readonly Sample[]): Growth {
  const thinned = thin(samples)
  const slopes: number[] = []
  for (let i = 0; i < thinned.length; i++) {
    for (let j = i + 1; j < thinned.length; j++) {
      const [a, b] = [thinned[i]!, thinned[j]!]
      if (b.seconds !== a.seconds) slopes.push((b.value - a.value) / (b.seconds - a.seconds))
    }
  }
  const seconds = (samples.at(-1)?.seconds ?? 0) - (samples[0]?.seconds ?? 0)
  return { median: median(samples.map(({ value }) => value)), grown: median(slopes) * seconds }
}

function thin(samples: readonly Sample[]): readonly Sample[] {
  const step = Math.ceil(samples.length / samplesMax)
  return samples.filter((_, i) => i % step === 0)
}

/** 0 of no numbers. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >>> 1
  if (sorted.length === 0) return 0
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
