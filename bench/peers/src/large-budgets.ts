import type { LargeFigures } from './large-run.js'

/** `figure` of the line of `bench` is to be below a number. */
export interface Budget<Line> {
  bench: string
  figure: keyof Line
  below: number
  what: string
}

/** Of 100 M keys of 100 bytes in one node. */
export const largeBudgets: readonly Budget<LargeFigures>[] = [
  { bench: 'large-load', figure: 'maxUs', below: 100_000, what: 'longest stall below 100 ms' },
  { bench: 'large-load', figure: 'rssBytes', below: 2 * 2 ** 30, what: 'resident memory below 2 GiB while loading' },
  { bench: 'large-reopen', figure: 'maxUs', below: 5_000_000, what: 'reopened in less than 5 s' },
  { bench: 'large-get', figure: 'rssBytes', below: 2 * 2 ** 30, what: 'resident memory below 2 GiB while reading' },
  { bench: 'large-get', figure: 'p99Us', below: 10_000, what: 'p99 of random gets below 10 ms' },
]

/** Which budgets these figures keep. A figure that is not there is a budget missed. */
export function judge<Line extends { bench: string }>(
  lines: readonly Line[],
  budgets: readonly Budget<Line>[],
): { met: string[]; missed: string[] } {
  const met: string[] = []
  const missed: string[] = []
  for (const { bench, figure, below, what } of budgets) {
    const found = lines.find((line) => line.bench === bench)?.[figure]
    if (typeof found === 'number' && found < below) met.push(what)
    else missed.push(what)
  }
  return { met, missed }
}
