import { expect, test } from 'vitest'
import { CorruptionError } from '../errors.js'
import { slotCount } from '../key-slot.js'
import { PowerCutStorage } from '../testing/power-cut-storage.js'
import { SeededRandom } from '../testing/seeded-random.js'
import { emptySummary } from './data-summary.js'
import { Keydir } from './keydir/keydir.js'
import { KeydirSnapshotReader, writeKeydirSnapshot } from './keydir-snapshot.js'
import type { SnapshotFile } from './keydir-snapshot-format.js'

const path = '/store/000007.keydir'
const listed = { number: 7, salt: 0xfedcba98 }
const files: SnapshotFile[] = [
  {
    number: 2 ** 33 + 4,
    index: 8191,
    salt: 0x89abcdef,
    end: 0x7ffffff0,
    merged: true,
    liveBytes: 2 ** 40,
    pinnedBytes: 64,
    pinnedBy: [3, 2 ** 33 + 4],
    summary: { ...emptySummary(), records: 9, largestSequence: 2 ** 47 },
  },
  {
    number: 3,
    index: 0,
    salt: 1,
    end: 4096,
    merged: false,
    liveBytes: 0,
    pinnedBytes: 0,
    pinnedBy: [],
    summary: { ...emptySummary(), expiringBytes: 5, expiresFrom: 1_900_000_000_000, expiresBy: 1_900_000_000_001 },
  },
]

function disk(): PowerCutStorage {
  const storage = new PowerCutStorage({ mapped: true })
  storage.makeDirectory('/store')
  return storage
}

async function written(keydir: Keydir): Promise<PowerCutStorage> {
  const storage = disk()
  await writeKeydirSnapshot(storage, path, keydir, { ...listed, sequence: 2 ** 47, files })
  expect(storage.openFiles).toBe(0)
  return storage
}

function filled(keys: number, slots: number): Keydir {
  const random = new SeededRandom(5)
  const keydir = new Keydir()
  for (let i = 0; i < keys; i++)
    keydir.insert(random.below(slots), random.below(2 ** 32), i % 8192, 4096 + 4 * random.below(2 ** 28))
  return keydir
}

const entriesOf = (keydir: Keydir) => Array.from({ length: slotCount }, (_, slot) => keydir.entries(slot))

function restored(storage: PowerCutStorage): Keydir {
  const reader = new KeydirSnapshotReader(storage, path, listed)
  try {
    const keydir = new Keydir()
    reader.restore(keydir)
    expect(reader.head).toMatchObject({ ...listed, sequence: 2 ** 47, files })
    return keydir
  } finally {
    reader.close()
  }
}

test.each([
  { keys: 0, slots: 1 },
  { keys: 30, slots: 5 },
  { keys: 400_000, slots: slotCount },
  // One table with a chunk of its own.
  { keys: 120_000, slots: 1 },
])('$keys keys in $slots slots come back, and the keydir lives on', async ({ keys, slots }) => {
  const keydir = filled(keys, slots)
  const copy = restored(await written(keydir))
  expect(copy.size).toBe(keys)
  expect(entriesOf(copy)).toEqual(entriesOf(keydir))
  for (let i = 0; i < 100_000; i++) copy.insert(i % slotCount, Math.imul(i, 0x9e3779b1) >>> 0, 1, 4096)
  for (let i = 0; i < 100_000; i += 3) {
    expect(copy.find(i % slotCount, Math.imul(i, 0x9e3779b1) >>> 0)).toBe(true)
    copy.remove()
  }
  expect(copy.size).toBe(keys + 66_666)
  expect(copy.byteLength).toBeLessThan(16 * copy.size + (12 << 20))
})

test('a flipped bit anywhere, a cut, and anything behind it are found', async () => {
  const intact = (await written(filled(30, 5))).contentOf(path).slice()
  const refused = (content: Uint8Array, what: string) => {
    const storage = disk()
    storage.place(path, content)
    expect(() => restored(storage), what).toThrow(CorruptionError)
    expect(storage.openFiles, what).toBe(0)
  }
  for (let at = 0; at < intact.length; at++) {
    const content = intact.slice()
    content[at]! ^= 1 << (at % 8)
    refused(content, `byte ${at}`)
  }
  for (let length = 0; length < intact.length; length++) refused(intact.subarray(0, length), `cut to ${length}`)
  refused(Buffer.concat([intact, Buffer.alloc(1)]), 'junk')
})

test('one of another store, or of another time, is not believed', async () => {
  const storage = await written(filled(30, 5))
  expect(() => new KeydirSnapshotReader(storage, path, { ...listed, salt: 1 })).toThrow(/of another store/)
  expect(() => new KeydirSnapshotReader(storage, path, { ...listed, number: 8 })).toThrow(/of another store/)
  expect(storage.openFiles).toBe(0)
})
