import { expect, test } from 'vitest'
import { slotOfPrefix } from '../key-slot.js'
import type { ScanOptions } from '../store.js'
import { openInlineBitcask } from './inline-bitcask.js'
import { PowerCutStorage } from './power-cut-storage.js'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const text = (value: Uint8Array) => Buffer.from(value).toString()

/** Two tags that share a slot, as the last two do, and keys without one. */
const tags = ['{user1}', '{user2}', '{a}', '{exj}']

async function filled() {
  const store = await openInlineBitcask(new PowerCutStorage({ mapped: true }))
  for (let i = 0; i < 50; i++)
    for (const tag of [...tags, '', 'x{user1}']) store.putSync(bytes(`${tag}${i}`), bytes('1'))
  const scanned = (options: ScanOptions) => [...store.scan({ keysOnly: true, ...options })].map(({ key }) => text(key))
  return { store, scanned }
}

test('a prefix with a whole tag: the keys that begin so, as a scan of everything meets them', async () => {
  const { store, scanned } = await filled()
  const all = scanned({})
  for (const prefix of [...tags, '{user1}4', 'x{user1}', '{none}', '{user', '{}', '']) {
    const wanted = all.filter((key) => key.startsWith(prefix))
    expect(scanned({ prefix: bytes(prefix) }), prefix).toEqual(wanted)
    expect(scanned({ prefix: bytes(prefix), reverse: true }), prefix).toEqual(wanted.toReversed())
    // Behind any key, of any slot.
    for (const after of all) {
      const rest = wanted.filter((key) => all.indexOf(key) > all.indexOf(after))
      expect(scanned({ prefix: bytes(prefix), after: bytes(after) }), `${prefix} after ${after}`).toEqual(rest)
      const before = wanted.filter((key) => all.indexOf(key) < all.indexOf(after)).toReversed()
      expect(scanned({ prefix: bytes(prefix), after: bytes(after), reverse: true })).toEqual(before)
    }
  }
  await store.close()
})

test('a range with such a prefix is deleted, and nothing beside it', async () => {
  const { store, scanned } = await filled()
  const before = scanned({})
  store.deleteRangeSync({ prefix: bytes('{a}') })
  store.deleteRangeSync({ prefix: bytes('{user1}'), gte: bytes('{user1}3') })
  expect(scanned({})).toEqual(before.filter((key) => !key.startsWith('{a}') && !/^\{user1\}[3-9]/.test(key)))
  await store.close()
})

test('keys compare as scans meet them', async () => {
  const { store, scanned } = await filled()
  const all = scanned({}).map(bytes)
  for (let i = 1; i < all.length; i++) {
    expect(store.compareKeys(all[i - 1]!, all[i]!)).toBeLessThan(0)
    expect(store.compareKeys(all[i]!, all[i - 1]!)).toBeGreaterThan(0)
  }
  expect(store.compareKeys(all[0]!, all[0]!.slice())).toBe(0)
  await store.close()
})

test('the tag of a prefix', () => {
  expect(slotOfPrefix(bytes('{a}'))).toBe(slotOfPrefix(bytes('{exj}')))
  for (const open of ['', 'a', '{', '{a', '}a{', '{}', '{}{a}']) expect(slotOfPrefix(bytes(open)), open).toBeUndefined()
})
