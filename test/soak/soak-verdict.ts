import { type Growth, growthOf, type Sample } from './growth.js'

export const soakFigures = ['anonymousBytes', 'heapBytes', 'descriptors', 'handles', 'diskBytes'] as const
export type SoakFigure = (typeof soakFigures)[number]
/** `mappedBytes`: resident pages of files. They count as memory of the process, but the kernel takes them back when it needs them. */
export type SoakSample = { seconds: number; mappedBytes: number } & Record<SoakFigure, number>

/** Pages of programs and libraries, and of files that are removed while a scan still reads them. */
const mappedBesidesFilesMax = 96 << 20

/** What a trend may add over the run: so much of the median, and so much besides. */
const allowances: Readonly<Record<SoakFigure, { part: number; besides: number }>> = {
  anonymousBytes: { part: 0.1, besides: 16 << 20 },
  heapBytes: { part: 0.1, besides: 8 << 20 },
  descriptors: { part: 0, besides: 8 },
  handles: { part: 0, besides: 4 },
  diskBytes: { part: 0.2, besides: 32 << 20 },
}

export interface SoakVerdict {
  flat: boolean
  /** The figures that grew more than they may. */
  growing: (SoakFigure | 'mappedBytes')[]
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
  const growing: SoakVerdict['growing'] = soakFigures.filter((figure) => {
    const { part, besides } = allowances[figure]
    return figures[figure].grown > part * figures[figure].median + besides
  })
  // More than there are files: mappings outlive them.
  if (settled.some(({ mappedBytes, diskBytes }) => mappedBytes > diskBytes + mappedBesidesFilesMax))
    growing.push('mappedBytes')
  return { flat: growing.length === 0, growing, figures }
}
