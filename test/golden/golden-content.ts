import type { Store } from '@caskade/engine'

/** The time at which golden directories are written and read. */
export const goldenClock = 1_800_000_000_000

/** Everything in a store, as JSON can hold it. */
export function contentOf(store: Store): unknown[] {
  const text = (value: Uint8Array) => Buffer.from(value).toString('latin1')
  return [...store.scan()].map(({ key, value, sequence, expiresAt, tag, writtenAt }) => [
    text(key),
    text(value),
    sequence,
    expiresAt,
    tag,
    writtenAt,
  ])
}
