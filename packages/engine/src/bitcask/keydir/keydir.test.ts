import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { slotCount } from '../../key-slot.js'
import { SeededRandom } from '../../testing/seeded-random.js'
import {
  entryFile,
  entryFingerprint,
  entryOffset,
  fileIndexCount,
  fingerprintOf,
  Keydir,
  offsetLimit,
} from './keydir.js'

interface Place {
  slot: number
  hash: number
  file: number
  offset: number
}

/** What a keydir stands for: a key is its slot, its hash, and a number that tells keys of one fingerprint apart by their file. */
class Model {
  readonly places = new Map<string, Place>()
  readonly keydir = new Keydir()

  /** As a store does: the entries found are the candidates, the caller knows which one is the key's. */
  find(slot: number, hash: number, wanted: Place | undefined, moment = 0): boolean {
    if (!this.keydir.find(slot, hash, moment)) return false
    do {
      if (wanted !== undefined && this.keydir.file === wanted.file && this.keydir.offset === wanted.offset) return true
    } while (this.keydir.findNext())
    return false
  }

  put(name: string, place: Place): void {
    const old = this.places.get(name)
    const found = this.find(place.slot, place.hash, old)
    expect(found).toBe(old !== undefined)
    if (found) this.keydir.replace(place.file, place.offset)
    else this.keydir.insert(place.slot, place.hash, place.file, place.offset)
    this.places.set(name, place)
  }

  remove(name: string): void {
    const old = this.places.get(name)
    if (old === undefined) return
    expect(this.find(old.slot, old.hash, old)).toBe(true)
    this.keydir.remove()
    this.places.delete(name)
  }

  check(): void {
    expect(this.keydir.size).toBe(this.places.size)
    for (const place of this.places.values()) expect(this.find(place.slot, place.hash, place)).toBe(true)
    for (const slot of new Set([...this.places.values()].map(({ slot }) => slot)))
      expect(entriesOf(this.keydir, slot)).toEqual(placesOf(this.places.values(), slot))
  }
}

function offsets(): () => number {
  let offset = 4096
  return () => {
    offset += 4
    return offset
  }
}

const asText = (hash: number, file: number, offset: number) => `${fingerprintOf(hash)} ${file} ${offset}`

function entriesOf(keydir: Keydir, slot: number, moment = 0): string[] {
  const words = keydir.entries(slot, moment)
  const found = []
  for (let at = 0; at < words.length; at += 2)
    found.push(`${entryFingerprint(words, at)} ${entryFile(words, at)} ${entryOffset(words, at)}`)
  return found.sort()
}

const placesOf = (places: Iterable<Place>, slot: number) =>
  [...places]
    .filter((place) => place.slot === slot)
    .map(({ hash, file, offset }) => asText(hash, file, offset))
    .sort()

// Few slots and few fingerprints, near each other and at both ends, so that lines overflow and wrap around.
const hash = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  fc.integer({ min: 0, max: 3 }).map((i) => i * 2 ** 20),
  fc.constant(2 ** 32 - 1),
)
const step = fc.record({
  name: fc.nat(60),
  hash,
  slot: fc.constantFrom(0, 1, slotCount - 1),
  remove: fc.boolean(),
})

test('as a map, through any history, with lines that overflow', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
      const model = new Model()
      const next = offsets()
      for (const { name, hash, slot, remove } of steps) {
        const key = `${name}`
        const known = model.places.get(key)
        if (remove) model.remove(key)
        else model.put(key, { slot: known?.slot ?? slot, hash: known?.hash ?? hash, file: name, offset: next() })
      }
      model.check()
      for (const name of [...model.places.keys()]) model.remove(name)
      expect(model.keydir.size).toBe(0)
      for (const slot of [0, 1, slotCount - 1]) expect(model.keydir.entries(slot)).toHaveLength(0)
    }),
    { numRuns: 100 },
  )
})

test('moments see what was there, whatever changes since', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof({ weight: 8, arbitrary: step }, { weight: 1, arbitrary: fc.constantFrom('open', 'close', 'clear') }),
        {
          maxLength: 200,
          size: 'max',
        },
      ),
      (steps) => {
        const model = new Model()
        const moments = new Map<number, Place[]>()
        const next = offsets()
        for (const each of steps) {
          if (each === 'open') moments.set(model.keydir.openMoment(), [...model.places.values()])
          else if (each === 'clear') {
            model.keydir.clear()
            model.places.clear()
          } else if (each === 'close') {
            const oldest = moments.keys().next().value
            if (oldest !== undefined) model.keydir.closeMoment(oldest)
            moments.delete(oldest!)
          } else if (each.remove) model.remove(`${each.name}`)
          else {
            const known = model.places.get(`${each.name}`)
            const place = { slot: known?.slot ?? each.slot, hash: known?.hash ?? each.hash, file: each.name }
            model.put(`${each.name}`, { ...place, offset: next() })
          }
          for (const [moment, places] of moments) {
            for (const slot of [0, 1, slotCount - 1])
              expect(entriesOf(model.keydir, slot, moment)).toEqual(placesOf(places, slot))
            for (const place of places) expect(model.find(place.slot, place.hash, place, moment)).toBe(true)
          }
        }
        model.check()
      },
    ),
    { numRuns: 40 },
  )
})

const rootBytes = 20 * slotCount

describe('a million keys', () => {
  const random = new SeededRandom(1)
  const keys = 1_000_000
  const hashes = Uint32Array.from({ length: keys }, () => random.below(2 ** 32))
  const fill = (keydir: Keydir) => {
    for (let i = 0; i < keys; i++) keydir.insert(i % slotCount, hashes[i]!, i % fileIndexCount, 4096 + 4 * i)
  }

  test('take at most 16 bytes each, and chunks not yet full, at every size; and give them back', () => {
    const chunkBytes = 4 << 20
    const keydir = new Keydir()
    let worst = 0
    for (let i = 0; i < keys; i++) {
      keydir.insert(i % slotCount, hashes[i]!, i % fileIndexCount, 4096 + 4 * i)
      if (i % 10_000 === 0) worst = Math.max(worst, (keydir.byteLength - 2 * chunkBytes - rootBytes) / (i + 1))
    }
    expect(worst).toBeLessThan(16)
    let seen = 0
    for (let i = 0; i < keys; i++) {
      let found = keydir.find(i % slotCount, hashes[i]!)
      while (found && keydir.offset !== 4096 + 4 * i) found = keydir.findNext()
      if (found && keydir.file === i % fileIndexCount) seen++
      if (i % 16 !== 0) keydir.remove()
    }
    expect(seen).toBe(keys)
    expect(keydir.size).toBe(keys / 16)
    expect(keydir.byteLength).toBeLessThan(9 * 2 ** 20)
  })

  test('are loaded slot by slot into the same thing', () => {
    const keydir = new Keydir()
    fill(keydir)
    const copy = new Keydir()
    for (let slot = 0; slot < slotCount; slot++) copy.load(slot, keydir.entries(slot))
    expect(copy.size).toBe(keys)
    for (const slot of [0, 77, slotCount - 1]) expect(entriesOf(copy, slot)).toEqual(entriesOf(keydir, slot))
  })
})

test('the last file and the last offset fit', () => {
  const keydir = new Keydir()
  keydir.insert(slotCount - 1, 2 ** 32 - 1, fileIndexCount - 1, offsetLimit - 4)
  expect(keydir.find(slotCount - 1, 2 ** 32 - 1)).toBe(true)
  expect([keydir.file, keydir.offset]).toEqual([fileIndexCount - 1, offsetLimit - 4])
})

test('one slot with more keys than a chunk holds', () => {
  const keydir = new Keydir()
  const random = new SeededRandom(3)
  const hashes = Array.from({ length: 300_000 }, () => random.below(2 ** 32))
  for (const [i, hash] of hashes.entries()) keydir.insert(5, hash, 1, 4096 + 4 * i)
  expect(keydir.entries(5)).toHaveLength(600_000)
  let seen = 0
  for (const [i, hash] of hashes.entries()) {
    let found = keydir.find(5, hash)
    while (found && keydir.offset !== 4096 + 4 * i) found = keydir.findNext()
    if (found) seen++
  }
  expect(seen).toBe(hashes.length)
})
