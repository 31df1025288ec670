import type { Store } from '@caskade/engine'

/** So many keys are drawn from exactly; more are narrowed down first. */
const exactKeysMax = 256

function firstKey(store: Store, gte: Uint8Array, lt: Uint8Array | undefined): Uint8Array | undefined {
  for (const { key } of store.scan({ gte, ...(lt && { lt }), limit: 1, keysOnly: true })) return key
  return undefined
}

function lastKey(store: Store, prefix: Uint8Array): Uint8Array | undefined {
  for (const { key } of store.scan({ prefix, reverse: true, limit: 1, keysOnly: true })) return key
  return undefined
}

function commonLength(a: Uint8Array, b: Uint8Array): number {
  let length = 0
  while (length < a.length && length < b.length && a[length] === b[length]) length++
  return length
}

/** An unordered store scans in the order of hashes: the key behind a random one. */
function randomKeyByHash(store: Store, random: () => number): Uint8Array | undefined {
  const after = Uint8Array.from({ length: 16 }, () => Math.floor(random() * 256))
  for (const { key } of store.scan({ after, limit: 1, keysOnly: true })) return key
  for (const { key } of store.scan({ limit: 1, keysOnly: true })) return key
  return undefined
}

/**
 * A random key of an ordered store, in some seeks rather than a scan: goes down the keys' trie, at each byte where they
 * part into one of the branches with equal chance, until few keys are left, and draws one of these. Even for keys spread
 * evenly, such as numbered ones; a key alone on its branch comes up more often than one in a crowd. `undefined`: no keys.
 */
export function randomKey(store: Store, random: () => number): Uint8Array | undefined {
  if (!store.capabilities.ordered) return randomKeyByHash(store, random)
  let prefix: Uint8Array = new Uint8Array(0)
  for (;;) {
    const few = [...store.scan({ prefix, limit: exactKeysMax + 1, keysOnly: true })]
    if (few.length <= exactKeysMax) return few[Math.floor(random() * few.length)]?.key
    const first = few[0]!.key
    const last = lastKey(store, prefix) ?? first
    const shared = first.subarray(0, commonLength(first, last))
    // A key that ends here is a branch of its own.
    const branches: (Uint8Array | undefined)[] = first.length === shared.length ? [undefined] : []
    const bound = new Uint8Array(shared.length + 1)
    bound.set(shared)
    for (let byte: number | undefined = first[shared.length] ?? 0; byte !== undefined && byte <= 255; ) {
      bound[shared.length] = byte
      const key = firstKey(store, bound, undefined)
      if (key === undefined || commonLength(key, shared) < shared.length) break
      branches.push(key.slice(0, shared.length + 1))
      byte = key[shared.length]! + 1
    }
    const branch = branches[Math.floor(random() * branches.length)]
    if (branch === undefined) return first
    prefix = branch
  }
}
