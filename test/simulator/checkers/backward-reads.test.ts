import { expect, test } from 'vitest'
import { HistoryBuilder } from '../history-builder.js'
import { backwardReads } from './backward-reads.js'

const found = (builder: HistoryBuilder, rest = {}) =>
  backwardReads(builder.history(rest)).violations.map(({ operations }) => operations)
const uncertain = () => new HistoryBuilder('siblings').put('a', { outcome: 'uncertain' })

test('what a read has shown, the next one shows', () => {
  expect(found(uncertain().get(['a']).get(['a']))).toEqual([])
  expect(found(uncertain().get(['a']).get([]))).toEqual([[2, 3]])
  expect(found(uncertain().get([]).get(['a']))).toEqual([])
})

test('or what took its place', () => {
  const replaced = uncertain()
    .get(['a'])
    .put('b', { seen: ['a'] })
  expect(found(replaced.get(['b']))).toEqual([])
})

test('not while the first is under way, nor where one owner was asked, nor after a disk was lost', () => {
  expect(found(uncertain().get(['a']).get([], { beganAtMs: 2400 }))).toEqual([])
  expect(found(uncertain().get(['a'], { level: 'one' }).get([]))).toEqual([])
  expect(found(uncertain().get(['a']).get([], { level: 'one' }))).toEqual([])
  expect(found(uncertain().get(['a']).get([]), { lostDisks: 1 })).toEqual([])
})

test('a read of more owners may show what one of fewer cannot', () => {
  expect(found(uncertain().get(['a'], { level: 'all' }).get([]))).toEqual([])
  expect(found(uncertain().get(['a']).get([], { level: 'all' }))).toEqual([[2, 3]])
})

test('a write that was stamped twice is held to the stamp that was shown', () => {
  const shown = (contested: boolean, thenMs: number) =>
    found(
      new HistoryBuilder('lww')
        .put('a', { timestampMs: 30, contested, endedAtMs: 9000 })
        .put('b', { timestampMs: thenMs })
        .get(['a'], { timestampMs: 10 })
        .get(['b'], { timestampMs: thenMs }),
    )
  expect(shown(true, 20)).toEqual([])
  expect(shown(true, 5)).toEqual([[3, 4]])
  expect(shown(false, 20)).toEqual([[3, 4]])
})
