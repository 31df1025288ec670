import { expect, test } from 'vitest'
import { SeededRandom } from '../../testing/seeded-random.js'
import { MemtableIndex, newestOffsets } from './memtable-index.js'

const segmentBytes = 64 << 20
const recordBytes = 152

function entered(index: MemtableIndex, keys: number): number[] {
  const random = new SeededRandom(7)
  const hashes = Array.from({ length: keys }, () => random.below(0x1_0000_0000))
  for (const [i, hash] of hashes.entries()) {
    let slot = index.probe(hash)
    while (slot >= 0) slot = index.probeAfter(hash, slot)
    index.insert(-1 - slot, hash, (i + 1) * recordBytes)
  }
  return hashes
}

test('every key is found after it has grown, and its offset is told', () => {
  const index = new MemtableIndex(segmentBytes)
  const hashes = entered(index, 50_000)
  expect(index.size).toBe(50_000)
  for (const [i, hash] of hashes.entries()) {
    let slot = index.probe(hash)
    while (slot >= 0 && index.offsetAt(slot) !== (i + 1) * recordBytes) slot = index.probeAfter(hash, slot)
    expect(slot).toBeGreaterThanOrEqual(0)
  }
  expect(newestOffsets(index.slots).toSorted()).toEqual(Uint32Array.from(hashes, (_, i) => (i + 1) * recordBytes))
})

test('it grows towards what the segment will hold, so that few entries ever move', () => {
  const sizes = new Set<number>()
  const index = new MemtableIndex(segmentBytes)
  const random = new SeededRandom(7)
  for (let i = 1; i * recordBytes < segmentBytes; i++) {
    const hash = random.below(0x1_0000_0000)
    let slot = index.probe(hash)
    while (slot >= 0) slot = index.probeAfter(hash, slot)
    index.insert(-1 - slot, hash, i * recordBytes)
    sizes.add(index.byteLength / 8)
  }
  expect([...sizes]).toEqual([4096, 32_768, 1_048_576])
})

test('a small one stays small', () => {
  const index = new MemtableIndex(segmentBytes)
  entered(index, 3000)
  expect(index.byteLength).toBe(4096 * 8)
})

test('one that is made for so many keys does not grow', () => {
  const index = new MemtableIndex(segmentBytes, 50_000)
  const before = index.byteLength
  entered(index, 50_000)
  expect(index.byteLength).toBe(before)
})
