import { describe, expect, test } from 'vitest'
import { actorOf } from '../causality/actor.js'
import { HybridClock } from '../causality/hybrid-clock.js'
import { decodeContext, encodeContext } from './context-format.js'
import { mergeRecords } from './merge-records.js'
import { type Mint, mintRecord } from './mint-record.js'
import { contextOf, recordTimestampMs, recordVersion, visibleSiblings } from './read-record.js'
import { checkRecord, decodeRecord } from './record-format.js'
import type { Resolution } from './resolution.js'

const wallMs = 1_000_000
const write = (value: string, requestLow = 0) => ({
  value: Buffer.from(value),
  tombstone: false,
  expiresAt: 0,
  requestHigh: 0,
  requestLow,
})
const mintOf = (member: number, resolution: Resolution): Mint => ({
  actor: actorOf(member, 0),
  clock: new HybridClock(1000),
  resolution,
  counters: { lwwLosses: 0, siblingOverflows: 0 },
})
const valuesOf = (record: Uint8Array) =>
  visibleSiblings(record, wallMs).map(({ value }) => Buffer.from(value).toString())
const codeOf = (act: () => unknown) => {
  try {
    return act()
  } catch (error) {
    return (error as { code?: string }).code
  }
}

describe.each<[string, Resolution]>([
  ['lww', { rule: 'lww' }],
  ['siblings', { rule: 'siblings', siblingsMax: 3 }],
])('minting under %s', (rule, resolution) => {
  test('a write with the context of what is there replaces it', () => {
    const mint = mintOf(1, resolution)
    const first = mintRecord(undefined, undefined, write('1'), mint, wallMs)
    const second = mintRecord(first, contextOf(first), write('2'), mint, wallMs)
    expect(valuesOf(second)).toEqual(['2'])
    expect(recordVersion(second)).toBe(2)
  })

  test('a blind write replaces under lww alone', () => {
    const mint = mintOf(1, resolution)
    const first = mintRecord(undefined, undefined, write('1'), mint, wallMs)
    const second = mintRecord(first, undefined, write('2'), mint, wallMs)
    expect(valuesOf(second)).toEqual(rule === 'lww' ? ['2'] : ['2', '1'])
  })

  test('a retry of a request that the record holds changes nothing', () => {
    const mint = mintOf(1, resolution)
    const first = mintRecord(undefined, undefined, write('1', 77), mint, wallMs)
    expect(mintRecord(first, undefined, write('1', 77), mint, wallMs)).toBe(first)
    expect(mintRecord(first, contextOf(first), write('1', 77), mint, wallMs)).toBe(first)
  })

  test('what overwrites is stamped later than what it overwrites, however slow the clock', () => {
    const fast = mintOf(1, resolution)
    const slow = mintOf(2, resolution)
    const first = mintRecord(undefined, undefined, write('1'), fast, wallMs + 900)
    const local = mintRecord(first, contextOf(first), write('2'), slow, wallMs)
    expect(recordTimestampMs(local)).toBe(wallMs + 900)
    const unseen = mintRecord(undefined, contextOf(first), write('2'), mintOf(3, resolution), wallMs)
    expect(decodeRecord(unseen).siblings[0]).toMatchObject({ stampMs: wallMs + 900, stampLogical: 1 })
  })

  test('bad contexts are refused', () => {
    const mint = mintOf(1, resolution)
    const first = mintRecord(undefined, undefined, write('1'), mint, wallMs)
    const context = (change: object) => encodeContext({ ...decodeContext(contextOf(first)), ...change })
    const put = (bytes: Uint8Array) => codeOf(() => mintRecord(first, bytes, write('2'), mint, wallMs))
    expect(put(Buffer.from('nonsense'))).toBe('CASKADE_BAD_CONTEXT')
    expect(put(new Uint8Array())).toBe('CASKADE_BAD_CONTEXT')
    expect(put(contextOf(first).subarray(1))).toBe('CASKADE_BAD_CONTEXT')
    expect(put(context({ history: [5, 5] })), 'no member').toBe('CASKADE_BAD_CONTEXT')
    expect(put(context({ history: [actorOf(1, 0), 0] })), 'no counter').toBe('CASKADE_BAD_CONTEXT')
    expect(put(context({ history: [actorOf(1, 0), 2] })), 'own writes never made').toBe('CASKADE_BAD_CONTEXT')
    const unknown = { history: [actorOf(2, 0), 1] }
    expect(put(context({ ...unknown, stampMs: wallMs + 1001 }))).toBe('CASKADE_CLOCK_SKEW')
    expect(mint.clock.refused).toBe(1)
    expect(put(context({ ...unknown, stampMs: wallMs + 1000 }))).toBeInstanceOf(Uint8Array)
  })

  test('what a clock far ahead has written can be replaced, and spoils no other stamp', () => {
    const mint = mintOf(1, resolution)
    const wild = mintRecord(undefined, undefined, write('1'), mintOf(2, resolution), wallMs + 1_000_000)
    const replaced = mintRecord(wild, contextOf(wild), write('2'), mint, wallMs)
    expect(valuesOf(mergeRecords(replaced, wild, resolution))).toEqual(['2'])
    expect(mint.clock).toMatchObject({ ms: wallMs, refused: 1 })
    expect(recordTimestampMs(mintRecord(undefined, undefined, write('3'), mint, wallMs))).toBe(wallMs)
  })

  test('what a clock far ahead has written can be overwritten with its context', () => {
    const hoursAhead = mintRecord(undefined, undefined, write('1'), mintOf(2, resolution), wallMs + 7_200_000)
    const mint = mintOf(1, resolution)
    const replaced = mintRecord(hoursAhead, contextOf(hoursAhead), write('2'), mint, wallMs)
    expect(decodeRecord(replaced).siblings.map(({ value }) => Buffer.from(value).toString())).toEqual(['2'])
    expect(recordTimestampMs(replaced)).toBeGreaterThanOrEqual(wallMs + 7_200_000)
  })
})

test('beyond the bound the oldest siblings go, and are counted', () => {
  const mint = mintOf(1, { rule: 'siblings', siblingsMax: 3 })
  let record: Uint8Array | undefined
  for (const value of ['1', '2', '3', '4', '5']) record = mintRecord(record, undefined, write(value), mint, wallMs)
  expect(valuesOf(record!)).toEqual(['5', '4', '3'])
  expect(mint.counters.siblingOverflows).toBe(2)
})

test('tombstones and what has expired are not visible; their history is', () => {
  const mint = mintOf(1, { rule: 'lww' })
  const expiring = mintRecord(undefined, undefined, { ...write('1'), expiresAt: wallMs + 1 }, mint, wallMs)
  expect([visibleSiblings(expiring, wallMs).length, visibleSiblings(expiring, wallMs + 1).length]).toEqual([1, 0])
  const endless = mintRecord(expiring, undefined, { ...write('1'), expiresAt: 2 ** 53 - 1 }, mint, wallMs)
  expect(visibleSiblings(endless, wallMs)[0]!.expiresAt).toBe(2 ** 48 - 1)
  const deleted = mintRecord(expiring, undefined, { ...write(''), tombstone: true }, mint, wallMs)
  expect(visibleSiblings(deleted, wallMs)).toEqual([])
  expect(recordVersion(deleted)).toBe(2)
})

test('one request minted by two owners is one sibling, the smaller dot', () => {
  const resolution: Resolution = { rule: 'siblings', siblingsMax: 3 }
  const [one, two] = [1, 2].map((member) =>
    mintRecord(undefined, undefined, write('1', 77), mintOf(member, resolution), wallMs),
  )
  for (const merged of [mergeRecords(one!, two!, resolution), mergeRecords(two!, one!, resolution)]) {
    expect(decodeRecord(merged).siblings.map(({ actor }) => actor)).toEqual([actorOf(1, 0)])
    expect(recordVersion(merged)).toBe(2)
  }
})

test('no bucket gets more siblings than a record holds', () => {
  const mint = mintOf(1, { rule: 'siblings', siblingsMax: 1000 })
  let record: Uint8Array | undefined
  for (let i = 0; i < 300; i++) record = mintRecord(record, undefined, write(`${i}`), mint, wallMs)
  checkRecord(record!)
  expect([decodeRecord(record!).siblings.length, mint.counters.siblingOverflows]).toEqual([255, 45])
})

test('a history that made-up contexts have blown up takes no more writes', () => {
  const mint = mintOf(1, { rule: 'lww' })
  const first = mintRecord(undefined, undefined, write('1'), mint, wallMs)
  const history = Array.from({ length: 1 << 14 }, (_, i) => [actorOf(2 + i, 0), 1]).flat()
  const context = encodeContext({ history, stampMs: 0, stampLogical: 0 })
  expect(codeOf(() => mintRecord(first, context, write('2'), mint, wallMs))).toBe('CASKADE_BAD_CONTEXT')
})
