import { expect, test } from 'vitest'
import { HistoryBuilder } from '../history-builder.js'
import { lostWrites } from './lost-writes.js'

const lost = (builder: HistoryBuilder, rest = {}) =>
  lostWrites(builder.history(rest)).violations.map(({ operations }) => operations)
const siblings = () => new HistoryBuilder('siblings')
const lww = () => new HistoryBuilder('lww')

test('siblings: what is there is not lost', () => {
  expect(lost(siblings().put('a').put('b').finally(['a', 'b']))).toEqual([])
})

test('siblings: a write that replaced nothing lets nothing go', () => {
  expect(lost(siblings().put('a').put('b').finally(['b']))).toEqual([[1, 3]])
})

test('siblings: a write that saw the other takes its place, even when it is uncertain, and through others', () => {
  const replaced = siblings()
    .put('a')
    .put('b', { seen: ['a'], outcome: 'uncertain' })
    .put('c', { seen: ['b'] })
  expect(lost(replaced.finally(['c']))).toEqual([])
})

test('siblings: nothing takes the place of what the last of a chain lost', () => {
  expect(
    lost(
      siblings()
        .put('a')
        .put('b', { seen: ['a'], outcome: 'uncertain' })
        .finally([]),
    ),
  ).toEqual([[1, 3]])
  expect(
    lost(
      siblings()
        .put('a')
        .put('b', { seen: ['a'], outcome: 'failed' })
        .finally(['b']),
    ),
  ).toEqual([[1, 3]])
})

test('siblings: only a deletion that saw the value lets it go', () => {
  expect(
    lost(
      siblings()
        .put('a')
        .delete({ seen: ['a'] })
        .finally([]),
    ),
  ).toEqual([])
  expect(
    lost(
      siblings()
        .put('a')
        .put('b')
        .delete({ seen: ['a'] })
        .finally([]),
    ),
  ).toEqual([[2, 4]])
})

test('a write that is not acknowledged promises nothing', () => {
  expect(lost(siblings().put('a', { outcome: 'uncertain' }).put('b', { outcome: 'failed' }).finally([]))).toEqual([])
})

test('union: every element stays', () => {
  const union = () => new HistoryBuilder('union').put('a').put('b')
  expect(lost(union().finally(['a', 'b']))).toEqual([])
  expect(lost(union().finally(['b']))).toEqual([[1, 3]])
})

test('lww: a write gives way to one that the rule prefers, and to no other', () => {
  const two = () => lww().put('a', { timestampMs: 5 }).put('b', { timestampMs: 6, beganAtMs: 1200 })
  expect(lost(two().finally(['b'], { timestampMs: 6 }))).toEqual([])
  expect(lost(two().finally(['a'], { timestampMs: 5 }))).toEqual([[2, 3]])
  expect(lost(two().finally([]))).toEqual([
    [1, 3],
    [2, 3],
  ])
  expect(lostWrites(two().finally(['b'], { timestampMs: 6 }).history()).counts).toEqual({ lwwDiscarded: 1 })
})

test('lww: nothing is there only after a deletion that the rule prefers', () => {
  const deleted = (at: number) => lww().put('a', { timestampMs: 5 }).delete({ timestampMs: at }).finally([])
  expect(lost(deleted(6))).toEqual([])
  expect(lost(deleted(4))).toEqual([[1, 3]])
  // Minted twice, the second time under a later stamp: nobody knows.
  const contested = lww().put('a', { timestampMs: 5 }).delete({ timestampMs: 4, contested: true })
  expect(lost(contested.finally([]))).toEqual([])
})

test('an expired write is gone, one that has not expired is not', () => {
  expect(lost(siblings().put('a', { expiresAtMs: 1900 }).finally([]))).toEqual([])
  expect(lost(siblings().put('a', { expiresAtMs: 9000 }).finally([]))).toEqual([[1, 2]])
  expect(lost(siblings().put('a', { expiresAtMs: 9000 }).finally([]), { clockErrorMaxMs: 8000 })).toEqual([])
})

test('what fewer nodes acknowledged than lost their disks may be gone', () => {
  expect(lost(siblings().put('a', { level: 'one' }).finally([]), { damagedNodes: 1 })).toEqual([])
  expect(lost(siblings().put('a').finally([]), { damagedNodes: 1 })).toEqual([[1, 2]])
})
