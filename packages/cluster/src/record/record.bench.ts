import { actorOf } from '../causality/actor.js'
import { HybridClock } from '../causality/hybrid-clock.js'
import { compareRecords, mergeRecords } from './merge-records.js'
import { type Mint, mintRecord, type NewWrite } from './mint-record.js'
import { contextOf, recordVersion, visibleSiblings } from './read-record.js'
import { checkRecord } from './record-format.js'
import { lww, type Resolution } from './resolution.js'

const wallMs = 1_700_000_000_000
const keepAll: Resolution = { rule: 'siblings', siblingsMax: 32 }
const write: NewWrite = {
  value: Buffer.alloc(100, 'value '),
  tombstone: false,
  expiresAt: 0,
  requestHigh: 1,
  requestLow: 1,
}
const mintOf = (member: number, resolution: Resolution): Mint => ({
  actor: actorOf(member, 1),
  clock: new HybridClock(5000),
  resolution,
  counters: { lwwLosses: 0, siblingOverflows: 0 },
})

/** A record that two owners have written in turn, its predecessor, and one that a third wrote at the same time. */
function threeRecords(resolution: Resolution): [newer: Uint8Array, older: Uint8Array, other: Uint8Array] {
  const first = mintRecord(undefined, undefined, write, mintOf(1, resolution), wallMs)
  const older = mintRecord(first, contextOf(first), { ...write, requestLow: 2 }, mintOf(2, resolution), wallMs + 1)
  const newer = mintRecord(older, contextOf(older), { ...write, requestLow: 3 }, mintOf(1, resolution), wallMs + 2)
  const other = mintRecord(older, contextOf(older), { ...write, requestLow: 4 }, mintOf(3, resolution), wallMs + 3)
  return [newer, older, other]
}

function minting(resolution: Resolution, context: (record: Uint8Array) => Uint8Array | undefined) {
  return () => {
    const [record] = threeRecords(resolution)
    const mint = mintOf(1, resolution)
    const given = context(record)
    const next = { ...write, requestLow: 100 }
    return () => mintRecord(record, given, next, mint, wallMs)
  }
}

function merging(resolution: Resolution, pick: (records: ReturnType<typeof threeRecords>) => [Uint8Array, Uint8Array]) {
  return () => {
    const [a, b] = pick(threeRecords(resolution))
    return () => mergeRecords(a, b, resolution)
  }
}

export const cases = {
  'record: merge, equal bytes': merging(lww, ([newer]) => [newer, Buffer.from(newer)]),
  'record: merge, newer over older, lww': merging(lww, ([newer, older]) => [older, newer]),
  'record: merge, newer over older, siblings': merging(keepAll, ([newer, older]) => [older, newer]),
  'record: merge, concurrent, lww': merging(lww, ([newer, , other]) => [newer, other]),
  'record: merge, concurrent, siblings': merging(keepAll, ([newer, , other]) => [newer, other]),
  'record: compare, newer to older': () => {
    const [newer, older] = threeRecords(lww)
    return () => compareRecords(newer, older)
  },
  'record: mint, first write': () => {
    const mint = mintOf(1, lww)
    return () => mintRecord(undefined, undefined, write, mint, wallMs)
  },
  'record: mint, blind, lww': minting(lww, () => undefined),
  'record: mint, with context, siblings': minting(keepAll, contextOf),
  'record: check': () => {
    const [record] = threeRecords(lww)
    return () => checkRecord(record)
  },
  'record: read values, version and context': () => {
    const [record] = threeRecords(lww)
    return () => visibleSiblings(record, wallMs).length + recordVersion(record) + contextOf(record).length
  },
}
