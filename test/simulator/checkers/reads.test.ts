import { expect, test } from 'vitest'
import type { Checker } from '../history.js'
import { HistoryBuilder } from '../history-builder.js'
import { expiredReads } from './expired-reads.js'
import { inventedValues } from './invented-values.js'
import { resurrections } from './resurrections.js'
import { sessionReads } from './session-reads.js'
import { staleReads } from './stale-reads.js'

const found = (checker: Checker, builder: HistoryBuilder, rest = {}) =>
  checker(builder.history(rest)).violations.map(({ operations }) => operations)
const siblings = () => new HistoryBuilder('siblings')
const lww = () => new HistoryBuilder('lww')

test('stale: a read after an acknowledged write must know it', () => {
  expect(found(staleReads, siblings().put('a').get(['a']))).toEqual([])
  expect(found(staleReads, siblings().put('a').get([]))).toEqual([[1, 2]])
  expect(
    found(
      staleReads,
      siblings()
        .put('a')
        .put('b', { seen: ['a'] })
        .get(['b']),
    ),
  ).toEqual([])
  expect(
    found(
      staleReads,
      siblings()
        .put('a')
        .put('b', { seen: ['a'] })
        .get(['a']),
    ),
  ).toEqual([[2, 3]])
})

test('stale: a write that a read overlaps, or that is uncertain, need not be seen', () => {
  expect(found(staleReads, siblings().put('a').get([], { beganAtMs: 1400 }))).toEqual([])
  expect(found(staleReads, siblings().put('a', { outcome: 'uncertain' }).get([]))).toEqual([])
})

test('stale: only where the quorums meet', () => {
  expect(found(staleReads, siblings().put('a').get([], { level: 'one' }))).toEqual([])
  expect(found(staleReads, siblings().put('a', { level: 'one' }).get([]))).toEqual([])
  expect(found(staleReads, siblings().put('a', { level: 'all' }).get([], { level: 'one' }))).toEqual([[1, 2]])
  expect(found(staleReads, siblings().put('a', { level: 'eventual' }).get([], { level: 'all' }))).toEqual([])
})

test('stale: lww goes by the timestamp', () => {
  const two = () => lww().put('a', { timestampMs: 5 }).put('b', { timestampMs: 4 })
  expect(found(staleReads, two().get(['a'], { timestampMs: 5 }))).toEqual([])
  expect(found(staleReads, two().get(['b'], { timestampMs: 4 }))).toEqual([[1, 3]])
  expect(found(staleReads, lww().put('a', { timestampMs: 5 }).delete({ timestampMs: 6 }).get([]))).toEqual([])
  expect(
    found(staleReads, lww().put('a', { timestampMs: 5 }).delete({ timestampMs: 6 }).get(['a'], { timestampMs: 5 })),
  ).toEqual([[2, 3]])
})

test('session: own writes are seen at any level, those of others need not be', () => {
  const session = { level: 'session' } as const
  expect(found(sessionReads, siblings().put('a', { level: 'one' }).get(['a'], session))).toEqual([])
  expect(found(sessionReads, siblings().put('a', { level: 'one' }).get([], session))).toEqual([[1, 2]])
  expect(found(sessionReads, siblings().put('a', { client: 2 }).get([], session))).toEqual([])
  expect(found(sessionReads, siblings().put('a').get([], { level: 'one' }))).toEqual([])
})

test('invented: a value must have been written there, before, and not have failed', () => {
  expect(found(inventedValues, siblings().put('a', { outcome: 'uncertain' }).get(['a']))).toEqual([])
  expect(found(inventedValues, siblings().put('a').get(['b']))).toEqual([[2]])
  expect(found(inventedValues, siblings().put('a', { key: 'other' }).get(['a']))).toEqual([[2]])
  expect(found(inventedValues, siblings().get(['a']).put('a'))).toEqual([[2, 1]])
  expect(found(inventedValues, siblings().put('a', { outcome: 'failed' }).finally(['a']))).toEqual([[1, 2]])
})

test('resurrections: what was replaced stays away', () => {
  const deleted = () =>
    siblings()
      .put('a')
      .delete({ seen: ['a'] })
  expect(found(resurrections, deleted().get([]).finally([]))).toEqual([])
  expect(found(resurrections, deleted().get(['a']))).toEqual([[1, 2, 3]])
  expect(found(resurrections, deleted().finally(['a']))).toEqual([[1, 2, 3]])
  expect(found(resurrections, deleted().get(['a'], { level: 'one' }))).toEqual([])
  expect(
    found(
      resurrections,
      siblings()
        .put('a')
        .delete({ seen: ['a'], outcome: 'uncertain' })
        .get(['a']),
    ),
  ).toEqual([])
  const late = lww().put('a', { timestampMs: 5 }).delete({ timestampMs: 6 })
  expect(found(resurrections, late.get(['a'], { timestampMs: 5 }))).toEqual([[1, 2, 3]])
  expect(found(resurrections, lww().put('a', { timestampMs: 7 }).delete({ timestampMs: 6 }).get(['a']))).toEqual([])
})

test('expired: gone by every clock means gone', () => {
  expect(found(expiredReads, siblings().put('a', { expiresAtMs: 1900 }).get(['a']))).toEqual([[1, 2]])
  expect(found(expiredReads, siblings().put('a', { expiresAtMs: 2100 }).get(['a']))).toEqual([])
  expect(found(expiredReads, siblings().put('a', { expiresAtMs: 1900 }).get(['a']), { clockErrorMaxMs: 500 })).toEqual(
    [],
  )
})
