import { expect, test } from 'vitest'
import { viewOf } from '../bytes.js'
import type { DataSummary } from './data-summary.js'
import {
  finishHint,
  type HintEntry,
  type HintOwner,
  HintReader,
  hintEntryBytes,
  hintHeaderBytes,
  writeHintEntry,
} from './hint-format.js'

const owner: HintOwner = { number: 2 ** 33 + 12, salt: 0xfedcba98, end: 0x7ffffff0 }
const summary: DataSummary = {
  records: 2,
  tombstones: 1,
  smallestSequence: 7,
  largestSequence: 2 ** 47 + 9,
  expiringBytes: 128,
  expiresFrom: 1_900_000_000_000,
  expiresBy: 1_900_000_000_001,
  bytes: 176,
}
const entries: HintEntry[] = [
  {
    slot: 3,
    hash: 0x89abcdef,
    identityLow: 0xfffefdfc,
    identityHigh: 0xabcd,
    offset: 4108,
    tombstone: false,
    sequence: 2 ** 47 + 9,
    size: 128,
  },
  {
    slot: 16_383,
    hash: 1,
    identityLow: 2,
    identityHigh: 3,
    offset: 0x7ffffff0 - 4,
    tombstone: true,
    sequence: 7,
    size: 48,
  },
]

function hintOf(list: readonly HintEntry[]): Uint8Array {
  const bytes = new Uint8Array(hintHeaderBytes + list.length * hintEntryBytes + 4)
  for (const [i, entry] of list.entries()) writeHintEntry(viewOf(bytes), hintHeaderBytes + i * hintEntryBytes, entry)
  finishHint(bytes, owner, summary, list.length)
  return bytes
}

function entriesOf(hint: HintReader): HintEntry[] {
  return Array.from({ length: hint.count }, (_, i) => ({
    slot: hint.slot(i),
    hash: hint.hash(i),
    identityLow: hint.identityLow(i),
    identityHigh: hint.identityHigh(i),
    offset: hint.offset(i),
    tombstone: hint.isTombstone(i),
    sequence: hint.sequence(i),
    size: hint.size(i),
  }))
}

/** A hint of version 1. It never changes: a release that cannot read it makes every opening slow. */
const golden =
  'Q1NLREhOVAoBAAAAmLrc/gwAAAACAAAA8P//fwIAAAAAAAAAAAAAQAAAAAAAAPA/AAAAAAAAHEAgAQAAAADgQgAAAAAAAGBAAACAMw2me0IAEIAzDaZ7QgAAAAAAAGZA782rifz9/v/NqwMADBAAAACAIAAJAAAAAQAAAAIAAAADAP8/7f//fwAADAAHAAAAXY17gQ=='

test('a hint of version 1 is read as it was written, and written as it was', () => {
  const bytes = new Uint8Array(Buffer.from(golden, 'base64'))
  const hint = new HintReader(bytes, owner, 'hint')
  expect(hint.owner).toEqual(owner)
  expect(hint.summary).toEqual(summary)
  expect(entriesOf(hint)).toEqual(entries)
  expect(Buffer.from(hintOf(entries)).toString('base64')).toBe(golden)
})

/** A value of 256 MiB under a key of 64 KiB. */
const largestRecord = 2 ** 28 + 2 ** 16 + 64

test('sizes are rounded up, by less than a part in 2,000', () => {
  const sizes = [16, 20, 4 * 0xfff, 4 * 0x1000, 65_544, 1_000_000, largestRecord]
  const hint = new HintReader(hintOf(sizes.map((size) => ({ ...entries[0]!, size }))), owner, 'hint')
  for (const [i, size] of sizes.entries()) {
    expect(hint.size(i)).toBeGreaterThanOrEqual(size)
    expect(hint.size(i)).toBeLessThanOrEqual(size + (size > 4 * 0xfff ? size / 2000 : 0))
  }
})

test('damage anywhere, a part of it, and the hint of another file are refused', () => {
  const bytes = hintOf(entries)
  const refused = (hint: Uint8Array, of = owner) =>
    expect(() => new HintReader(hint, of, '/store/000012.hint')).toThrow(
      expect.objectContaining({ code: 'CASKADE_CORRUPTION', file: '/store/000012.hint', offset: expect.any(Number) }),
    )
  for (let at = 0; at < bytes.length; at++) {
    const damaged = bytes.slice()
    damaged[at]! ^= 1 << (at & 7)
    refused(damaged)
    refused(bytes.subarray(0, at))
  }
  refused(bytes, { ...owner, number: 12 })
  refused(bytes, { ...owner, salt: 1 })
  refused(bytes, { ...owner, end: 4096 })
})
