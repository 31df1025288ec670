import type { KeyStretch } from './replica-store.js'

/** Nothing but the key itself lies in it. */
export function stretchOfKey(key: Uint8Array): KeyStretch {
  const to = new Uint8Array(key.length + 1)
  to.set(key)
  return { from: new Uint8Array(key), to }
}

/** One key can be in it, and no other. */
export const isOneKey = ({ from, to }: KeyStretch): boolean =>
  to !== undefined &&
  to.length === from.length + 1 &&
  to[from.length] === 0 &&
  Buffer.compare(from, to.subarray(0, -1)) === 0

export const isInStretch = (key: Uint8Array, { from, to }: KeyStretch): boolean =>
  Buffer.compare(key, from) >= 0 && (to === undefined || Buffer.compare(key, to) < 0)

/** In order of keys, those that overlap as one. Neighbours stay apart: one of them may be a single key. */
export function joinStretches(stretches: readonly KeyStretch[]): KeyStretch[] {
  const joined: KeyStretch[] = []
  for (const stretch of [...stretches].sort((a, b) => Buffer.compare(a.from, b.from))) {
    const last = joined.at(-1)
    if (last === undefined || (last.to !== undefined && Buffer.compare(last.to, stretch.from) <= 0))
      joined.push(stretch)
    else if (last.to !== undefined && (stretch.to === undefined || Buffer.compare(stretch.to, last.to) > 0))
      joined[joined.length - 1] = { from: last.from, to: stretch.to }
  }
  return joined
}
