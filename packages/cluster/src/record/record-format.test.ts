import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { actorOf, memberNumberMax, mintingEpochMax } from '../causality/actor.js'
import { counterMax } from '../causality/vector-bytes.js'
import { checkRecord, decodeRecord, encodeRecord } from './record-format.js'
import type { RecordState, Sibling } from './record-state.js'

const golden: [string, RecordState, string][] = [
  [
    'one write',
    {
      history: [actorOf(1, 2), 3],
      siblings: [
        {
          actor: actorOf(1, 2),
          counter: 3,
          stampMs: 1_700_000_000_123,
          stampLogical: 4,
          expiresAt: 0,
          tombstone: false,
          requestHigh: 0,
          requestLow: 0,
          value: Buffer.from('red'),
        },
      ],
    },
    'c1000101000001000000020000000000030000010000000200000000000301 8bcfe5687b0004 00 00000003 726564',
  ],
  [
    'every field at its largest, beside a tombstone',
    {
      history: [actorOf(7, 0), 300, actorOf(memberNumberMax, mintingEpochMax), counterMax],
      siblings: [
        {
          actor: actorOf(7, 0),
          counter: 299,
          stampMs: 2,
          stampLogical: 0,
          expiresAt: 0,
          tombstone: true,
          requestHigh: 0,
          requestLow: 1,
          value: new Uint8Array(),
        },
        {
          actor: actorOf(memberNumberMax, mintingEpochMax),
          counter: counterMax,
          stampMs: 2 ** 48 - 1,
          stampLogical: 0xffff,
          expiresAt: 2 ** 48 - 1,
          tombstone: false,
          requestHigh: 0xffffffff,
          requestLow: 0xfffffffe,
          value: Buffer.from([0, 255]),
        },
      ],
    },
    'c1000202 00000700000000 00000000012c 1fffffffffffff ffffffffffff ' +
      '0000070000000000000000012b 000000000002 0000 05 0000000000000001 00000000 ' +
      '1fffffffffffffffffffffffff ffffffffffff ffff 06 ffffffffffff fffffffffffffffe 00000002 00ff',
  ],
]

const plain = (state: RecordState) => ({
  history: [...state.history],
  siblings: state.siblings.map((each) => ({ ...each, value: [...each.value] })),
})
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

describe('record format', () => {
  test.each(golden)('golden: %s', (_, state, spaced) => {
    const expected = spaced.replaceAll(' ', '')
    expect(hex(encodeRecord(state))).toBe(expected)
    const bytes = Buffer.from(expected, 'hex')
    checkRecord(bytes)
    expect(plain(decodeRecord(bytes))).toEqual(plain(state))
  })

  test('what is no canonical record is refused, cut short at every length or with any byte changed', () => {
    for (const [, state] of golden) {
      const whole = encodeRecord(state)
      for (let length = 0; length < whole.length; length++)
        expect(() => checkRecord(whole.subarray(0, length)), `${length} bytes`).toThrow('no record')
      expect(() => checkRecord(Buffer.concat([whole, Buffer.of(0)]))).toThrow('behind the last sibling')
      for (let at = 0; at < whole.length; at++)
        for (let bit = 0; bit < 8; bit++) {
          const changed = Buffer.from(whole)
          changed[at]! ^= 1 << bit
          // Either it is refused, or it is another canonical record: never one that reads outside of itself.
          if (accepts(changed)) expect(hex(encodeRecord(decodeRecord(changed)))).toBe(hex(changed))
        }
    }
  })

  test('no bytes make the check fail otherwise', () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.uint8Array({ maxLength: 100 }).map((tail) => Uint8Array.from([0xc1, 0, 1, 1, ...tail])),
    )
    fc.assert(
      fc.property(anything, (bytes) => {
        if (accepts(bytes)) expect(hex(encodeRecord(decodeRecord(bytes)))).toBe(hex(bytes))
      }),
      { numRuns: 2000 },
    )
  })

  test('equal states have equal bytes, and different ones different bytes', () => {
    fc.assert(
      fc.property(states, states, (a, b) => {
        expect(hex(encodeRecord(a)) === hex(encodeRecord(b))).toBe(
          JSON.stringify(plain(a)) === JSON.stringify(plain(b)),
        )
        checkRecord(encodeRecord(a))
      }),
    )
  })
})

function accepts(bytes: Uint8Array): boolean {
  try {
    checkRecord(bytes)
    return true
  } catch (error) {
    expect(error).toMatchObject({ code: 'CASKADE_CORRUPTION' })
    return false
  }
}

const siblingParts = fc.record({
  stampMs: fc.nat(3),
  stampLogical: fc.nat(2),
  expiresAt: fc.constantFrom(0, 5, 2 ** 40),
  tombstone: fc.boolean(),
  requestHigh: fc.nat(1),
  requestLow: fc.nat(1),
  value: fc.uint8Array({ maxLength: 3 }),
})
const states: fc.Arbitrary<RecordState> = fc
  .uniqueArray(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 3 }), siblingParts), {
    minLength: 1,
    maxLength: 4,
    selector: ([member]) => member,
  })
  .map((parts) => parts.toSorted(([a], [b]) => a - b))
  .map((parts) => ({
    history: parts.flatMap(([member, counter]) => [actorOf(member, 0), counter]),
    siblings: parts.map(
      ([member, counter, rest]): Sibling => ({
        ...rest,
        actor: actorOf(member, 0),
        counter,
        value: rest.tombstone ? new Uint8Array() : rest.value,
      }),
    ),
  }))
