import type { BitcaskFigures } from './bitcask-run.js'
import type { Budget } from './large-budgets.js'

/** Of 100 M keys in the keydir, and a store of 10 M. */
export const bitcaskBudgets: readonly Budget<BitcaskFigures>[] = [
  { bench: 'keydir-insert', figure: 'bytesPerKeyMax', below: 16, what: 'keydir below 16 bytes a key' },
  { bench: 'keydir-insert', figure: 'maxUs', below: 5_000, what: 'longest pause of a keydir insert below 5 ms' },
  { bench: 'open-snapshot', figure: 'maxUs', below: 1_000_000, what: 'opened after a clean close in less than 1 s' },
  { bench: 'open-hints', figure: 'maxUs', below: 2_000_000, what: 'opened from hints in less than 2 s' },
  { bench: 'overwrite-merging', figure: 'maxUs', below: 20_000, what: 'longest put stall while merging below 20 ms' },
  { bench: 'overwrite-merging', figure: 'diskRatioMax', below: 2.5, what: 'disk below 2.5 times the live data' },
]
