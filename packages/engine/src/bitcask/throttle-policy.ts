/** Of settled files to live bytes in them: what they have while merges keep up. */
const freeRatio = 1.25
const delayPerRatio = 80
const delayMax = 40

/**
 * Milliseconds that writers should pause for each MiB they write: nothing while merges keep up, then more with every dead byte that waits
 * for one, so that writers slow to the merges' pace by themselves and never stop.
 */
export function mergeDelayPerMiB(debt: { bytes: number; live: number; dataFileBytes: number }): number {
  // Some files of slack: a small store is all dead bytes now and then.
  const ratio = (debt.bytes - 4 * debt.dataFileBytes) / Math.max(debt.live, debt.dataFileBytes)
  return ratio <= freeRatio ? 0 : Math.min(delayMax, (ratio - freeRatio) * delayPerRatio)
}
