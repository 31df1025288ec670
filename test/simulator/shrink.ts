/**
 * Delta debugging (Zeller and Hildebrandt, 2002): the smallest list it finds of which `stillFails` holds, by leaving out
 * ever smaller parts. At most `attemptsMax` tries.
 */
export async function shrinkList<T>(
  list: readonly T[],
  stillFails: (candidate: readonly T[]) => Promise<boolean>,
  attemptsMax: number,
): Promise<readonly T[]> {
  let kept = list
  let attempts = 0
  for (let part = Math.ceil(list.length / 2); part >= 1; part = part === 1 ? 0 : Math.ceil(part / 2)) {
    // What is left out from the end last is the start: causes are early, and what follows them goes first.
    for (let end = kept.length; end > 0; end -= part) {
      if (++attempts > attemptsMax) return kept
      const candidate = [...kept.slice(0, Math.max(0, end - part)), ...kept.slice(end)]
      if (candidate.length < kept.length && (await stillFails(candidate))) kept = candidate
    }
  }
  return kept
}
