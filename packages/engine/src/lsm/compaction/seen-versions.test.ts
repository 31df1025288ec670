import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FoundRecord } from '../found-record.js'
import { noRanges } from '../range/range-tombstones.js'
import { SeenVersions } from './seen-versions.js'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))
const record = (key: string, sequence: number) =>
  Object.assign(new FoundRecord(), { keyBytes: bytes(key), keyEnd: key.length, sequence })

/** A write: to one of the keys, or the deletion of all from one of them on. */
const write = fc.record({ key: fc.constantFrom('a', 'b', 'long key '.repeat(40)), range: fc.boolean() })
const held = fc.uniqueArray(fc.nat(14), { maxLength: 4 }).map((all) => all.sort((a, b) => a - b))

test('keeps exactly what the newest moment and the held ones see', () => {
  fc.assert(
    fc.property(fc.array(write, { maxLength: 14 }), held, (writes, held) => {
      let ranges = noRanges
      const records: FoundRecord[] = []
      for (const [i, { key, range }] of writes.entries()) {
        if (range) ranges = ranges.with(bytes(key), undefined, i + 1, held)
        else records.push(record(key, i + 1))
      }
      records.sort((a, b) => Buffer.compare(a.keyBytes, b.keyBytes) || b.sequence - a.sequence)
      const seen = new Set<FoundRecord>()
      for (const moment of [...held, Infinity]) {
        for (const key of ['a', 'b', 'long key '.repeat(40)]) {
          const newest = records.find(
            ({ keyBytes, sequence }) => Buffer.compare(keyBytes, bytes(key)) === 0 && sequence <= moment,
          )
          const deleted = ranges.newestCovering(bytes(key), 0, key.length, moment)
          if (newest !== undefined && newest.sequence > deleted) seen.add(newest)
        }
      }
      const versions = new SeenVersions(ranges, held)
      const kept = records.filter((each) => !versions.isHidden(each))
      // A tombstone that hides nothing may stay; a record that is seen must, and no other of the same moment may.
      expect(kept).toEqual(records.filter((each) => seen.has(each)))
    }),
  )
})
