import { expect, test } from 'vitest'
import type { FinalTopology, SeenChange } from '../history.js'
import { HistoryBuilder } from '../history-builder.js'
import { agreement } from './agreement.js'
import { check } from './all-checkers.js'
import { convergence } from './convergence.js'
import { liveness } from './liveness.js'
import { topologies } from './topologies.js'
import { unanswered } from './unanswered.js'

const history = (rest = {}) => new HistoryBuilder('siblings').history(rest)

test('convergence: every owner has the same bytes', () => {
  const copies = (...records: (string | undefined)[]) =>
    history({ copies: records.map((record, node) => ({ node, key: 'k', record })) })
  expect(convergence(copies('x', 'x', 'x')).violations).toEqual([])
  expect(convergence(copies(undefined, undefined)).violations).toEqual([])
  expect(convergence(copies('x', 'x', 'y')).violations).toHaveLength(1)
  expect(convergence(copies('x', undefined, 'x')).violations).toHaveLength(1)
})

test('what only a damaged disk had is beyond repair, what others have as well is not', () => {
  const damaged = { node: 1, key: 'siblings/k', record: undefined, damaged: true }
  const other = (record: string | undefined) => ({ node: 2, key: 'siblings/k', record })
  const builder = () => new HistoryBuilder('siblings').finally([], { outcome: 'failed' })
  const gone = builder().history({ copies: [damaged, other(undefined)] })
  expect([...convergence(gone).violations, ...liveness(gone).violations]).toEqual([])
  const healable = builder().history({ copies: [damaged, other('x')] })
  expect(convergence(healable).violations).toHaveLength(1)
  expect(liveness(healable).violations).toHaveLength(1)
})

test('topologies: one per epoch', () => {
  const seen = (...sightings: [epoch: number, digest: string][]) =>
    history({ topologies: sightings.map(([epoch, digest], node) => ({ node, epoch, digest })) })
  expect(topologies(seen([1, 'a'], [2, 'b'], [1, 'a'])).violations).toEqual([])
  expect(topologies(seen([1, 'a'], [2, 'b'], [2, 'c'])).violations).toHaveLength(1)
})

test('agreement: what was told of changes holds, and all nodes end with one topology', () => {
  const change = { bucket: 'b', beganAtMs: 10, endedAtMs: 20, outcome: 'ok', epoch: 2 } as const
  const later = { ...change, bucket: '', beganAtMs: 30, endedAtMs: 40, epoch: 3 }
  const at = (node: number, epoch: number, ...buckets: string[]) => ({ node, epoch, buckets })
  const found = (changes: SeenChange[], ...finalTopologies: FinalTopology[]) =>
    agreement(history({ changes, finalTopologies })).violations
  expect(found([change, later], at(0, 3, 'b'), at(1, 3, 'b'))).toEqual([])
  expect(found([], at(0, 3), at(1, 2))).toHaveLength(1)
  expect(found([change], at(0, 3))).toHaveLength(1)
  expect(found([{ ...change, outcome: 'failed' }], at(0, 3, 'b'))).toHaveLength(1)
  expect(found([change, { ...later, epoch: 1 }], at(0, 3, 'b'))).toHaveLength(1)
})

test('unanswered: an operation without an answer that was owed one', () => {
  const builder = () => new HistoryBuilder('lww').put('a', { outcome: 'uncertain' })
  expect(unanswered(builder().history()).violations).toEqual([])
  expect(unanswered(builder().put('b', { unanswered: true }).history()).violations).toHaveLength(1)
})

test('liveness: after healing nothing fails', () => {
  const builder = () => new HistoryBuilder('lww').get([], { outcome: 'uncertain' }).probe({ outcome: 'ok' })
  expect(liveness(builder().history()).violations).toEqual([])
  expect(liveness(builder().probe({ outcome: 'uncertain' }).history()).violations).toHaveLength(1)
  expect(liveness(builder().finally([], { outcome: 'failed' }).history()).violations).toHaveLength(1)
})

test('together: each finding names its checker, a clean history has none', () => {
  expect(check(new HistoryBuilder('siblings').put('a').get(['a']).finally(['a']).history()).violations).toEqual([])
  const { violations, counts } = check(new HistoryBuilder('siblings').put('a').get([]).finally([]).history())
  expect(violations.map(({ checker }) => checker).sort()).toEqual(['lost-writes', 'stale-reads'])
  expect(counts).toEqual({ lwwDiscarded: 0, topologyChanges: 0 })
})
