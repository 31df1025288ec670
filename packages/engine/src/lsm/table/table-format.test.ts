import { expect, test } from 'vitest'
import { kindDelete } from '../record-cursor.js'
import { buildTable, bytes, openTable, put, scan } from './table.test.fixture.js'

const records = [
  put('debian/apt', 'package manager', 12),
  { ...put('debian/bash', 'shell', 9), expiresAt: 1_900_000_000_000, tag: 3 },
  { ...put('debian/bash', '', 4), kind: kindDelete },
  put('debian/zsh', new Uint8Array(300), 2 ** 40),
]

const stamped = [
  { ...put('a', 'first', 3), writtenAt: 1_790_000_000_000 },
  { ...put('b', 'not said', 4) },
  { ...put('c', 'expires too', 5), writtenAt: 1_790_000_000_250, expiresAt: 1_900_000_000_000, tag: 15 },
  { ...put('d', 'a day before', 2), writtenAt: 1_789_913_600_000 },
]

/** Tables of version 1 as the first release wrote them. These never change: a release that cannot read them loses data. */
const golden = {
  none: 'Q0FTS1NTVIkHAAAAAAAAAAEAAAA0BAqUAgACAAwAAAAAAAIfEAAtAAoPAABkZWJpYW4vYXB0cGFja2FnZSBtYW5hZ2VyCwUOBYDwzIamN2RlYmlhbi9iYXNoc2hlbGzo825qAQACAAQAAAAAAB8NAAsAAQBkZWJpYW4vYmFzaOm548ABAAIAAAAAAAABsg0ACqwCAABkZWJpYW4venNoAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA6MZO8AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEAAAAAAIIAAAAgAAJAAAAABAAAAAAAAAAEAAAAAAAAAAAAAABAAEAAQAAAAAAAACAAAAAAQACAEQAAgEAAAAO0n/bwMAAAAHAAAAZGViaWFuL0cAABwBBGJhc2jIAgABenltOioEAAAAAAAAAAEAAAAAAAAABAAAAAAAAAAAAAAAAAEAACoAAAAAAAAAQAEAAAAAAAAAONNgugEAAAMAAAAAAAAAAAAAAAYAAAAKAAAACgAAAPx6WEVkZWJpYW4vYXB0ZGViaWFuL3pzaEO3LD4AAgAAAAAAAEAAAAAAAAAARAIAAAAAAAAeAAAAAAAAAGYCAAAAAAAAaAAAAAAAAAABAAAAN737sUNBU0tTU1SJ',
  lz4: 'Q0FTS1NTVIkHAAAAAAAAAAEAAAA0BAqUAgACAAwAAAAAAAIfEAAtAAoPAABkZWJpYW4vYXB0cGFja2FnZSBtYW5hZ2VyCwUOBYDwzIamN2RlYmlhbi9iYXNoc2hlbGzo825qAQACAAQAAAAAAB8NAAsAAQBkZWJpYW4vYmFzaOm548ABAAIAAAAAAAABsg0ACgaAAKwCZGViaWFuL3pzaB8AAQD/GfH8bPUAAAAAAAAAAAAAAAAAAAAAAAAAAAAAABAAAAAACCAAAAIAACQAAAAAQAAAAAAAAABAAAAAAAAAAAAAAAQABAAEAAAAAAAAAgAAAAAEAAgBEAAIBAAAAGRqb1sDAAAABwAAAGRlYmlhbi9HAAAcAQRiYXNoIwABek4ZerEEAAAAAAAAAAEAAAAAAAAABAAAAAAAAAAAAAAAAAEAACoAAAAAAAAAQAEAAAAAAAAAONNgugEAAAMAAAAAAAAAAAAAAAYAAAAKAAAACgAAAJjnJ41kZWJpYW4vYXB0ZGViaWFuL3pzaEa74TDAAAAAAAAAAEAAAAAAAAAABAEAAAAAAAAdAAAAAAAAACUBAAAAAAAAaAAAAAAAAAABAAAAe9QID0NBU0tTU1SJ',
}

test.each(['none', 'lz4'] as const)(
  'a table of version 1, compression %s, is read as it was written',
  (compression) => {
    const table = new Uint8Array(Buffer.from(golden[compression], 'base64'))
    for (const mapped of [true, false]) {
      const reader = openTable(table, mapped)
      expect(scan(reader)).toEqual(records)
      expect(reader.verify().records).toBe(4)
      expect(reader.summary).toMatchObject({
        smallestKey: bytes('debian/apt'),
        largestSequence: 2 ** 40,
        tombstones: 1,
      })
    }
  },
)

test('and is still written so', () => {
  for (const compression of ['none', 'lz4'] as const) {
    const { bytes } = buildTable(records, { compression, blockBytes: 100 })
    expect(Buffer.from(bytes).toString('base64')).toBe(golden[compression])
  }
})

/** The same with times of writing. */
const goldenStamped =
  'Q0FTS1NTVIkHAAAAAAAAAAEAAAA0BAqUBAACAAMAAAAAALIDX3MWACEALgBGAAEFQAAAYWZpcnN0AQgAAmJub3Qgc2FpZAELfgSA8MyGpjf0A2NleHBpcmVzIHRvbwEMQAH/77JSZGEgZGF5IGJlZm9yZZGNFJoAAAAAAAAAAAAAAIAAAAAAAAAAgAAAIgACAQAAAAgAAAAAAAQAAAAAAAAAAAAACAAAAAgAAABAAAAIgAAAAIBCQCQAAkAEAAICTxirLwEAAAAAAAAAWwAALkQazwQAAAAAAAAAAAAAAAAAAAACAAAAAAAAAAUAAAAAAAAABAAAAAAAAAAkAAAAAAAAAAA402C6AQAAAQAAAAAAAAAAAAAABgAAAAEAAAABAAAATRpqWWFkAGxQxKABAABu8inMgAAAAAAAAABAAAAAAAAAAMQAAAAAAAAACwAAAAAAAADTAAAAAAAAAF4AAAAAAAAAAQAAAAJupV1DQVNLU1NUiQ=='

test('times of writing are read and written as they were', () => {
  const table = new Uint8Array(Buffer.from(goldenStamped, 'base64'))
  expect(scan(openTable(table, true))).toEqual(stamped)
  expect(openTable(table, false).verify().records).toBe(4)
  expect(Buffer.from(buildTable(stamped, { compression: 'none' }).bytes).toString('base64')).toBe(goldenStamped)
})
