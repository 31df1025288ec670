import { expect, test } from 'vitest'
import { HistoryBuilder } from '../history-builder.js'
import { repeatedValues } from './repeated-values.js'

const found = (builder: HistoryBuilder) =>
  repeatedValues(builder.history()).violations.map(({ operations }) => operations)

test('a value is listed once', () => {
  const written = () => new HistoryBuilder('siblings').put('a').put('b')
  expect(found(written().get(['a', 'b']))).toEqual([])
  expect(found(written().get(['a', 'b', 'a']))).toEqual([[3]])
  expect(found(written().finally(['b', 'b']))).toEqual([[3]])
})
