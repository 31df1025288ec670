import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { childrenOf, HashTree, treeFanout } from './hash-tree.js'
import { noRecord, recordHash, treePlaceOf } from './record-hash.js'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const hashOf = (key: string, record: string | undefined) =>
  record === undefined ? noRecord : { ...recordHash(bytes(key), bytes(record), { high: 0, low: 0 }) }

/** A partition with its tree kept up to date. */
class Partition {
  readonly records = new Map<string, string>()
  readonly tree = new HashTree(3)

  write(key: string, record: string | undefined): this {
    this.tree.update(treePlaceOf(bytes(key)), hashOf(key, this.records.get(key)), hashOf(key, record))
    if (record === undefined) this.records.delete(key)
    else this.records.set(key, record)
    return this
  }
}

/** Leaves that differ, found as two nodes would find them; counts the hashes exchanged. */
function compare(a: HashTree, b: HashTree): { leaves: number[]; hashes: number } {
  let hashes = 0
  let nodes = [0]
  for (let level = 0; ; level++) {
    const theirs = b.hashesOf(level, nodes)
    hashes += nodes.length
    nodes = a.differing(level, nodes, theirs)
    if (level === a.levels || nodes.length === 0) return { leaves: nodes, hashes }
    nodes = childrenOf(nodes)
  }
}

const writes = fc.array(
  fc.tuple(fc.nat(30).map(String), fc.option(fc.nat(3).map(String), { nil: undefined, freq: 3 })),
  { maxLength: 60 },
)

describe('hash tree', () => {
  test('kept write by write it is the tree of what is there, in whatever order that came', () => {
    fc.assert(
      fc.property(writes, (all) => {
        const kept = new Partition()
        for (const [key, record] of all) kept.write(key, record)
        const fresh = new Partition()
        for (const [key, record] of [...kept.records].reverse()) fresh.write(key, record)
        expect(compare(kept.tree, fresh.tree).leaves).toEqual([])
      }),
    )
  })

  test('exactly the leaves with differences are found', () => {
    fc.assert(
      fc.property(writes, writes, (ours, theirs) => {
        const a = new Partition()
        const b = new Partition()
        for (const [key, record] of ours) a.write(key, record)
        for (const [key, record] of theirs) b.write(key, record)
        const keys = new Set([...a.records.keys(), ...b.records.keys()])
        const expected = [...keys]
          .filter((key) => a.records.get(key) !== b.records.get(key))
          .map((key) => a.tree.leafOf(treePlaceOf(bytes(key))))
        expect(compare(a.tree, b.tree).leaves).toEqual([...new Set(expected)].sort((x, y) => x - y))
      }),
    )
  })

  test('the cost of a comparison follows the differences, not the keys', () => {
    const a = new Partition()
    const b = new Partition()
    for (let i = 0; i < 20_000; i++) {
      a.write(`key ${i}`, 'same')
      b.write(`key ${i}`, 'same')
    }
    expect(compare(a.tree, b.tree)).toEqual({ leaves: [], hashes: 1 })
    for (let differences = 1; differences <= 8; differences++) {
      b.write(`key ${differences}`, 'other')
      const { leaves, hashes } = compare(a.tree, b.tree)
      expect(leaves.length).toBe(differences)
      expect(hashes).toBeLessThanOrEqual(1 + differences * a.tree.levels * treeFanout)
    }
  })

  test('keys spread evenly over the leaves, also numbered ones', () => {
    const tree = new HashTree(2)
    const counts = new Uint32Array(tree.leaves)
    for (let i = 0; i < 100 * tree.leaves; i++) counts[tree.leafOf(treePlaceOf(bytes(`user:${i}`)))]!++
    // 100 expected in each: six standard deviations either way.
    expect(Math.min(...counts)).toBeGreaterThan(40)
    expect(Math.max(...counts)).toBeLessThan(160)
  })

  test('what has no such node, or another shape, is refused', () => {
    const tree = new HashTree(2)
    for (const [level, index] of [
      [3, 0],
      [-1, 0],
      [1, 16],
      [1, -1],
      [1, 0.5],
    ])
      expect(() => tree.hashesOf(level!, [index!])).toThrow(RangeError)
    expect(() => tree.differing(0, [0], new Uint32Array(3))).toThrow(RangeError)
    for (const levels of [0, 6, 1.5]) expect(() => new HashTree(levels)).toThrow(RangeError)
  })
})

describe('record hash', () => {
  test('golden: replicas of different releases must agree', () => {
    const texts: [string, string][] = [
      ['', ''],
      ['key', 'record'],
      ['a longer key', 'and a record of more than one word'],
    ]
    const hex = texts.map(([key, record]) => {
      const { high, low } = hashOf(key, record)
      return [high, low, treePlaceOf(bytes(key))].map((half) => half.toString(16).padStart(8, '0')).join(' ')
    })
    expect(hex).toMatchInlineSnapshot(`
      [
        "9a1484a4 05f9b5fe ab3e7c0b",
        "08c05311 e54ec61b 3a5e35fd",
        "fd8f9daf d77583ec bafcb41c",
      ]
    `)
  })

  test('any change of key or record changes both halves', () => {
    const seenHigh = new Set<number>()
    const seenLow = new Set<number>()
    let count = 0
    for (let length = 0; length < 40; length++)
      for (const fill of [0, 1, 255])
        for (const key of ['', 'a', 'b', 'ab', 'a\0', '\0\0\0\0\0'])
          if (length > 0 || fill === 0) {
            const { high, low } = recordHash(bytes(key), new Uint8Array(length).fill(fill), { high: 0, low: 0 })
            seenHigh.add(high)
            seenLow.add(low)
            count++
          }
    expect([seenHigh.size, seenLow.size]).toEqual([count, count])
  })
})
