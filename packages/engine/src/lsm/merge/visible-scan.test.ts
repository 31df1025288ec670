import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareBytes } from '../../bytes.js'
import { scanRange } from '../../scan-range.js'
import { FoundRecord } from '../found-record.js'
import { kindDelete, kindPut, type RecordCursor } from '../record-cursor.js'
import { MergeCursor } from './merge-cursor.js'
import { VisibleScan } from './visible-scan.js'

interface Version {
  key: number[]
  sequence: number
  kind: number
  expiresAt: number
}

const bytesOf = (key: readonly number[]) => Uint8Array.from(key)
const byOrder = (a: Version, b: Version) => compareBytes(bytesOf(a.key), bytesOf(b.key)) || b.sequence - a.sequence

/** A cursor over an array, whose record lies in memory that the next step writes over. */
class ArrayCursor extends FoundRecord implements RecordCursor {
  valid = false
  readonly #versions: readonly Version[]
  #at = 0
  readonly #memory = new Uint8Array(16)

  constructor(versions: readonly Version[]) {
    super()
    this.#versions = versions.toSorted(byOrder)
    this.keyBytes = this.#memory
    this.valueBytes = this.#memory
  }

  #moveTo(at: number): void {
    this.#at = at
    const version = this.#versions[at]
    this.valid = version !== undefined
    if (version === undefined) return
    this.#memory.fill(0xee)
    this.#memory.set(version.key, 1)
    this.keyStart = 1
    this.keyEnd = 1 + version.key.length
    this.#memory[12] = version.sequence
    this.valueStart = 12
    this.valueEnd = 13
    this.sequence = version.sequence
    this.kind = version.kind
    this.expiresAt = version.expiresAt
  }

  first = () => this.#moveTo(0)
  last = () => this.#moveTo(this.#versions.length - 1)
  next = () => this.#moveTo(this.#at + 1)
  previous = () => this.#moveTo(this.#at - 1)

  seek(source: Uint8Array, start: number, end: number): void {
    const found = this.#versions.findIndex(({ key }) => compareBytes(bytesOf(key), source.subarray(start, end)) >= 0)
    this.#moveTo(found === -1 ? this.#versions.length : found)
  }
}

const key = fc.array(fc.constantFrom(0, 1, 2, 255), { minLength: 1, maxLength: 3 })
const version = fc.record({
  key,
  kind: fc.constantFrom(kindPut, kindPut, kindDelete),
  expiresAt: fc.constantFrom(0, 0, 5, 50),
  source: fc.nat(4),
})
const bound = fc.option(key, { nil: undefined })

test('gives of each key the newest version in sight, in both directions, and releases once', () => {
  fc.assert(
    fc.property(
      fc.array(version, { maxLength: 60, size: 'max' }),
      fc.record({
        gte: bound,
        lt: bound,
        reverse: fc.boolean(),
        limit: fc.constantFrom(1, 3, Infinity),
        part: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      (made, { gte, lt, reverse, limit, part }) => {
        const versions = made.map((each, i) => ({ ...each, sequence: i + 1 }))
        const sequenceMax = Math.floor(part * versions.length)
        const now = 10
        const expected = [
          ...new Map(
            versions.filter(({ sequence }) => sequence <= sequenceMax).map((each) => [String(each.key), each]),
          ).values(),
        ]
          .filter(({ kind, expiresAt }) => kind === kindPut && (expiresAt === 0 || expiresAt > now))
          .filter((each) => gte === undefined || compareBytes(bytesOf(each.key), bytesOf(gte)) >= 0)
          .filter((each) => lt === undefined || compareBytes(bytesOf(each.key), bytesOf(lt)) < 0)
          .sort(byOrder)
        if (reverse) expected.reverse()
        const cursors = Array.from(
          { length: 5 },
          (_, i) => new ArrayCursor(versions.filter(({ source }) => source === i)),
        )
        let released = 0
        const scan = new VisibleScan(new MergeCursor(cursors, reverse ? 'reverse' : 'forward'), {
          range: scanRange({ ...(gte && { gte: bytesOf(gte) }), ...(lt && { lt: bytesOf(lt) }) }),
          reverse,
          limit,
          keysOnly: false,
          sequenceMax,
          now,
          release: () => released++,
        })
        const found: [number[], number, number][] = []
        for (let step = scan.next(); !step.done; step = scan.next())
          found.push([[...step.value.key], step.value.sequence, step.value.value[0]!])
        expect(found).toEqual(expected.slice(0, limit).map((each) => [each.key, each.sequence, each.sequence]))
        scan.return()
        expect(released).toBe(1)
      },
    ),
    { numRuns: 500 },
  )
})
