/** A settled data file, as the choice of what to merge sees it. */
export interface MergeCandidate {
  number: number
  /** Of all its records. */
  bytes: number
  /** Of records that a merge would drop. */
  deadBytes: number
  largestSequence: number
}

export interface MergePolicyOptions {
  /** A file this much of which is dead is merged whatever the others look like. */
  deadRatioMax: number
  /** When this much of all files together is dead, the files that give back most are merged. */
  totalDeadRatioMax: number
  /** A file less dead than this is not worth it. */
  deadRatioMin: number
  /** So many small files become one. */
  smallFiles: number
  /** A file below this is small. */
  smallBytes: number
  /** At most about so many bytes are copied at once. */
  copyBytesMax: number
}

export const defaultMergePolicy = {
  deadRatioMax: 0.6,
  totalDeadRatioMax: 0.35,
  deadRatioMin: 0.15,
  smallFiles: 8,
} as const

/**
 * Which files to merge next; none: nothing pays. Plain data in, numbers out.
 *
 * Files are ranked by what they give back against what they cost, old ones first (Rosenblum and Ousterhout, "Log-structured file
 * system", 1992: benefit (1 - u) age / (1 + u)): a hot file dies further by itself, a cold one does not.
 * With all of it, disk use under random overwrites settles near 1 / (1 - totalDeadRatioMax) of the live data, and a merge's outputs besides.
 */
export function chooseMerge(files: readonly MergeCandidate[], options: MergePolicyOptions): number[] {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0)
  const dead = files.reduce((sum, file) => sum + file.deadBytes, 0)
  const newest = files.reduce((most, file) => Math.max(most, file.largestSequence), 1)
  const ratio = (file: MergeCandidate) => file.deadBytes / Math.max(file.bytes, 1)
  const score = (file: MergeCandidate) => {
    const age = 0.1 + (newest - file.largestSequence) / newest
    return (ratio(file) * age) / (2 - ratio(file))
  }
  const tooDead = dead > options.totalDeadRatioMax * bytes
  // A merge that gives nothing back would be chosen again, for ever.
  const worth = files.filter(
    (file) => file.deadBytes > 0 && ratio(file) >= (tooDead ? options.deadRatioMin : options.deadRatioMax),
  )
  const chosen = upTo(
    worth.sort((a, b) => score(b) - score(a)),
    options.copyBytesMax,
  )
  if (chosen.length > 0) return chosen
  const small = files.filter((file) => file.bytes < options.smallBytes)
  const together = small.length >= options.smallFiles ? upTo(small, options.copyBytesMax) : []
  return together.length > 1 ? together : []
}

/** Files from the first on until their live bytes reach the bound; at least one. */
export function upTo(files: readonly MergeCandidate[], copyBytesMax: number): number[] {
  const chosen: number[] = []
  let copied = 0
  for (const { number, bytes, deadBytes } of files) {
    copied += bytes - deadBytes
    if (chosen.length > 0 && copied > copyBytesMax) break
    chosen.push(number)
  }
  return chosen
}
