import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareBytes, viewOf } from '../../bytes.js'
import { CorruptionError } from '../../errors.js'
import { hashKey } from '../../key-hash.js'
import { PowerCutStorage } from '../../testing/power-cut-storage.js'
import { FoundRecord } from '../found-record.js'
import { kindDelete, kindPut } from '../record-cursor.js'
import { Memtable } from './memtable.js'
import { framesStart, readSegmentHeader, readWatermark } from './segment-format.js'
import { checkFramesOf, walkFrames } from './segment-frames.js'
import { readRecord } from './segment-record.js'

const salt = 0xfeedbeef
const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const text = (source: Uint8Array, start: number, end: number) => Buffer.from(source.subarray(start, end)).toString()

function create(capacity = 1 << 20) {
  const disk = new PowerCutStorage({ mapped: true })
  disk.makeDirectory('/d')
  const file = disk.createSegment('/d/1', capacity)
  return { disk, file, memtable: Memtable.create(1, file, salt) }
}

function put(
  memtable: Memtable,
  key: Uint8Array,
  value: string,
  sequence: number,
  kind = kindPut,
  times = { expiresAt: 0, writtenAt: 0 },
): void {
  const data = bytes(value)
  const hash = hashKey(key, 0, key.length)
  const { expiresAt, writtenAt } = times
  memtable.put(hash, key, 0, key.length, data, 0, data.length, kind, expiresAt, 0, writtenAt, sequence)
}

function find(memtable: Memtable, key: Uint8Array, sequenceMax = Infinity): string | undefined {
  const found = new FoundRecord()
  if (!memtable.find(hashKey(key, 0, key.length), key, 0, key.length, sequenceMax, found)) return undefined
  return found.kind === kindDelete ? 'deleted' : text(found.valueBytes, found.valueStart, found.valueEnd)
}

/** `[key, value, sequence]` of all records, by its cursors merged. */
function ordered(memtable: Memtable) {
  const all: [string, string, number][] = []
  for (const cursor of memtable.cursors()) {
    let before: { key: Uint8Array; sequence: number } | undefined
    for (cursor.first(); cursor.valid; cursor.next()) {
      const key = cursor.keyBytes.slice(cursor.keyStart, cursor.keyEnd)
      if (before !== undefined) {
        const order = compareBytes(before.key, key)
        expect(order < 0 || (order === 0 && before.sequence > cursor.sequence)).toBe(true)
      }
      before = { key, sequence: cursor.sequence }
      all.push([
        Buffer.from(key).toString('latin1'),
        text(cursor.valueBytes, cursor.valueStart, cursor.valueEnd),
        cursor.sequence,
      ])
    }
  }
  return all.sort((a, b) => a[2] - b[2])
}

test('finds the newest record of a key at or below a sequence', () => {
  const { memtable } = create()
  for (let i = 1; i <= 300; i++) put(memtable, bytes(`key ${i % 10}`), `value ${i}`, i)
  put(memtable, bytes('key 3'), '', 301, kindDelete)
  expect(find(memtable, bytes('key 3'))).toBe('deleted')
  expect(find(memtable, bytes('key 3'), 300)).toBe('value 293')
  expect(find(memtable, bytes('key 3'), 13)).toBe('value 13')
  expect(find(memtable, bytes('key 3'), 2)).toBeUndefined()
  expect(find(memtable, bytes('key 10'))).toBeUndefined()
  expect([memtable.keys, memtable.smallestSequence, memtable.largestSequence]).toEqual([10, 1, 301])
})

test('order is the same however often it is asked for, for keys that sorts find hard', () => {
  const key = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 12 }),
    fc.array(fc.constantFrom(0, 1, 255), { minLength: 1, maxLength: 9 }).map((parts) => Uint8Array.from(parts)),
    fc.nat(40).map((n) => new Uint8Array(n + 1)),
    fc.nat(40).map((n) => bytes(`${'same start '.repeat(10)}${n}`)),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.boolean()), { maxLength: 300, size: 'max' }), (puts) => {
      const { memtable } = create()
      const expected: [string, string, number][] = []
      for (const [i, [each, ask]] of puts.entries()) {
        put(memtable, each, `${i}`, i + 1)
        expected.push([Buffer.from(each).toString('latin1'), `${i}`, i + 1])
        if (ask && i % 7 === 0) ordered(memtable)
      }
      expect(ordered(memtable)).toEqual(expected)
    }),
    { numRuns: 60 },
  )
})

describe('an open frame', () => {
  test('can be taken back in part or whole, as if it had never been', () => {
    const { memtable } = create()
    for (let i = 1; i <= 20; i++) put(memtable, bytes(`key ${i}`), `old ${i}`, i)
    const before = { keys: ordered(memtable), end: memtable.end }
    memtable.openFrame()
    for (let i = 21; i <= 30; i++) put(memtable, bytes(`key ${i - 15}`), `new ${i}`, i)
    const kept = memtable.openRecordCount
    put(memtable, bytes('key 6'), 'newer', 31)
    put(memtable, bytes('other'), 'newer', 32)
    memtable.takeBack(kept)
    expect([find(memtable, bytes('key 6')), find(memtable, bytes('other'))]).toEqual(['new 21', undefined])
    expect(memtable.largestSequence).toBe(30)
    memtable.abortFrame()
    expect(find(memtable, bytes('key 6'))).toBe('old 6')
    expect({ keys: ordered(memtable), end: memtable.end }).toEqual(before)
    expect(memtable.largestSequence).toBe(20)
    put(memtable, bytes('other'), 'again', 21)
    expect(find(memtable, bytes('other'))).toBe('again')
  })

  test('that is empty leaves nothing', () => {
    const { memtable } = create()
    memtable.openFrame()
    memtable.commitFrame()
    expect(memtable.isEmpty).toBe(true)
  })
})

describe('recovery', () => {
  const recover = (memtable: Memtable) =>
    Memtable.recover(1, memtable.file, salt, { generation: 0, syncedEnd: framesStart }, memtable.file.capacity)

  test('finds what was put, whole frames only, and the seal', () => {
    const { memtable } = create()
    put(memtable, bytes('a'), '1', 1)
    memtable.openFrame()
    put(memtable, bytes('b'), '2', 2)
    put(memtable, bytes('c'), '3', 3)
    expect(ordered(recover(memtable).memtable)).toHaveLength(1)
    memtable.commitFrame()
    const half = recover(memtable)
    expect([ordered(half.memtable), half.walk.sealed, half.walk.end]).toEqual([ordered(memtable), false, memtable.end])
    memtable.seal()
    const whole = recover(memtable)
    expect([ordered(whole.memtable), whole.walk.sealed, whole.walk.end]).toEqual([
      ordered(memtable),
      true,
      memtable.end,
    ])
    expect(whole.memtable.hasRoom(8)).toBe(false)
  })

  test('a flipped bit ends the walk there, and no byte of it is believed', () => {
    const { memtable } = create(8192)
    const ends: number[] = []
    for (let i = 1; i <= 20; i++) {
      put(memtable, bytes(`key ${i}`), `value ${i}`, i)
      ends.push(memtable.end)
    }
    for (let at = framesStart; at < memtable.end; at++) {
      memtable.bytes[at]! ^= 0x40
      const records: number[] = []
      const walk = walkFrames(memtable, salt, 'x', memtable.end, (offset) => records.push(offset))
      const whole = ends.filter((end) => end <= at).length
      // Bytes between frames, which align them, belong to none.
      const paddedTo = ends.find((end) => end > at)!
      expect(records.length === whole || (paddedTo - at < 8 && records.length === 20), `byte ${at}`).toBe(true)
      expect(walk.sealed).toBe(false)
      memtable.bytes[at]! ^= 0x40
    }
  })

  test('a record that reaches beyond its frame, under a right checksum, is damage', () => {
    const { memtable } = create(8192)
    memtable.openFrame()
    put(memtable, bytes('key'), 'value', 1)
    memtable.view.setUint16(framesStart + 12 + 2, 60_000, true)
    memtable.commitFrame()
    expect(() => walkFrames(memtable, salt, 'x', 8192, () => {})).toThrow(CorruptionError)
  })
})

test('the header and the watermark say what they said, or nothing', () => {
  const { memtable, file } = create(8192)
  const view = viewOf(file.bytes)
  expect(readSegmentHeader(view, file.bytes, 'x', 1)).toEqual({ fileNumber: 1, salt })
  expect(() => readSegmentHeader(view, file.bytes, 'x', 2)).toThrow('this is segment 1')
  expect(readSegmentHeader(viewOf(new Uint8Array(8192)), new Uint8Array(8192), 'x', 1)).toBeUndefined()
  for (let i = 1; i <= 5; i++) {
    put(memtable, bytes('key'), `${i}`, i)
    memtable.markSynced(memtable.end)
    expect(readWatermark(view, file.bytes, salt)).toEqual({ generation: i, syncedEnd: memtable.end })
  }
  const [older, newest] = [memtable.end - 40, memtable.end]
  // The newest slot is torn: the one before still counts.
  file.bytes[64 + 64 * (5 & 1)]! ^= 1
  const { generation, syncedEnd } = readWatermark(view, file.bytes, salt)
  expect(generation).toBe(4)
  expect(syncedEnd).toBeLessThan(newest)
  expect(syncedEnd).toBeGreaterThanOrEqual(older - 8)
  for (let at = 0; at < 32; at++) {
    file.bytes[at]! ^= 1
    expect(() => readSegmentHeader(view, file.bytes, 'x', 1)).toThrow(CorruptionError)
    file.bytes[at]! ^= 1
  }
})

/** Page 1 of a segment of version 1 as the first release wrote it: a put with neither time, with each, with both, and a deletion. */
const goldenFrames =
  'W4D9ZyQAAAABAAAAAAAFAAgAAAAAAAAAAQAAAAAAAABwbGFpbm5vIHRpbWVzAAAAeRU62SQAAAABAAAAAgAHAAEAAAAAAAAAAgAAAAAAAAAAAIAzDaZ7QmV4cGlyZXN4UAjDMiQAAAABAAAABAAHAAIAAAAAAAAAAwAAAAAAAAAAbFDEoAFzdGFtcGVkeXoAGgDdbSgAAAABAAAABgAEAAAAAAAAAAAABAAAAAAAAAAAAAAAAADwP////////2JvdGgAAAAAAABXq8VGHAAAAAEAAAABAAUAAAAAAAwQAAAFAAAAAAAAAHBsYWluAAAA'

test('frames are read and written as they were', () => {
  const { memtable } = create(16_384)
  const cases: [string, string, number, { expiresAt: number; writtenAt: number }][] = [
    ['plain', 'no times', kindPut, { expiresAt: 0, writtenAt: 0 }],
    ['expires', 'x', kindPut, { expiresAt: 1_900_000_000_000, writtenAt: 0 }],
    ['stamped', 'yz', kindPut, { expiresAt: 0, writtenAt: 1_790_000_000_000 }],
    ['both', '', kindPut, { expiresAt: 1, writtenAt: 2 ** 48 - 1 }],
    ['plain', '', kindDelete, { expiresAt: 0, writtenAt: 0 }],
  ]
  for (const [i, [key, value, kind, times]] of cases.entries()) put(memtable, bytes(key), value, i + 1, kind, times)
  const frames = memtable.bytes.slice(framesStart, memtable.end)
  expect(Buffer.from(frames).toString('base64')).toBe(goldenFrames)
  const found = new FoundRecord()
  const offsets: number[] = []
  walkFrames(memtable, salt, 'x', memtable.end, (offset) => offsets.push(offset))
  for (const [i, [key, value, kind, times]] of cases.entries()) {
    readRecord(memtable, offsets[i]!, found)
    expect(text(found.keyBytes, found.keyStart, found.keyEnd)).toBe(key)
    expect(text(found.valueBytes, found.valueStart, found.valueEnd)).toBe(value)
    expect({ ...found }).toMatchObject({ kind, sequence: i + 1, ...times })
  }
})

test('a check of the frames of some records finds damage in those, and passes over damage in others', () => {
  const { memtable } = create()
  for (let i = 0; i < 4; i++) put(memtable, bytes(`key ${i % 2}`), `value ${i}`, i + 1)
  const offsets: number[] = []
  walkFrames(memtable, salt, '/d/1', memtable.end, (offset) => offsets.push(offset))
  const check = (...kept: number[]) =>
    checkFramesOf(
      memtable,
      salt,
      '/d/1',
      memtable.end,
      Uint32Array.from(kept, (i) => offsets[i]!),
    )
  expect(check(0, 1, 2, 3)).toBe(4)
  memtable.bytes[offsets[1]! + 30]! ^= 1
  expect(check(2, 3)).toBe(4)
  expect(() => check(1, 3)).toThrow(CorruptionError)
  // The length of a frame, by which the next one is found.
  memtable.bytes[offsets[0]! - 7]! ^= 0x40
  expect(() => check(2, 3)).toThrow(CorruptionError)
})
