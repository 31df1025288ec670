import { type Growth, growthOf, type Sample } from './growth.js'

export const soakFigures = ['rssBytes', 'heapBytes', 'descriptors', 'handles', 'diskBytes'] as const
export type SoakFigure = (typeof soakFigures)[number]
export type SoakSample = { seconds: number } & Record<SoakFigure, number>

/** What a trend may add over the run: so much of the median, and so much besides. */
const allowances: Readonly<Record<SoakFigure, { part: number; besides: number }>> = {
  rssBytes: { part: 0.1, besides: 16 << 20 },
  heapBytes: { part: 0.1, besides: 8 << 20 },
  descriptors: { part: 0, besides: 8 },
  handles: { part: 0, besides: 4 },
  diskBytes: { part: 0.2, besides: 32 << 20 },
}

export interface SoakVerdict {
  flat: boolean
  /** The figures that grew more than they may. */
  growing: SoakFigure[]
  figures: Record<SoakFigure, Growth>
}

/** Judges the run without its first fifth, in which caches fill and code is compiled. */
export function judgeSoak(samples: readonly SoakSample[]): SoakVerdict {
  const settled = samples.slice(Math.floor(samples.length / 5))
  const figures = Object.fromEntries(
    soakFigures.map((figure) => {
      const series = settled.map((sample): Sample => ({ seconds: sample.seconds, value: sample[figure] }))
      const { median, grown } = growthOf(series)
      return [figure, { median: Math.round(median), grown: Math.round(grown) }]
    }),
  ) as Record<SoakFigure, Growth>
  const growing = soakFigures.filter((figure) => {
    const { part, besides } = allowances[figure]
    return figures[figure].grown > part * figures[figure].median + besides
  })
  return { flat: growing.length === 0, growing, figures }
}
