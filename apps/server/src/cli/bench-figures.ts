/** One line of a benchmark's result. */
export interface BenchFigures {
  bench: string
  n: number
  opsPerSec: number
  p50Us: number
  p99Us: number
  maxUs: number
}

/** `timesUs`: how long each round trip took, in microseconds; sorted in place. */
export function benchFigures(bench: string, n: number, seconds: number, timesUs: number[]): BenchFigures {
  timesUs.sort((a, b) => a - b)
  const at = (part: number) => Math.round(timesUs[Math.min(timesUs.length - 1, Math.floor(timesUs.length * part))] ?? 0)
  return { bench, n, opsPerSec: Math.round(n / seconds), p50Us: at(0.5), p99Us: at(0.99), maxUs: at(1) }
}
