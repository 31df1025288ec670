/** Milliseconds that writers should pause for each MiB written, as merges fall behind: a delay that grows, never a stop. */
export function mergeDelayPerMiB(debt: { bytes: number; live: number; dataFileBytes: number }): number {
  // Some files of slack: a small store is all dead bytes now and then.
  const excess = (debt.bytes - 4 * debt.dataFileBytes) / Math.max(debt.live, debt.dataFileBytes)
  if (excess < 2.5) return 0
  return excess < 3.5 ? 2 : excess < 5 ? 8 : 20
}
