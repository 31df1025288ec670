import { expect, test } from 'vitest'
import { PrefixLedger } from './prefix-ledger.js'
import type { Operation } from './workload.js'

const set = (key: string, value: string): Operation => ({ kind: 'set', writes: [[key, value]] })

function ledger(acknowledged: Operation[], inFlight: Operation[]): PrefixLedger {
  const made = new PrefixLedger(new Map([['old', '0']]))
  for (const operation of [...acknowledged, ...inFlight]) made.issue(operation)
  for (const _ of acknowledged) made.acknowledge()
  return made
}
const records = (values: object) => new Map(Object.entries(values))
const batch: Operation = {
  kind: 'mset',
  writes: [
    ['a', '2'],
    ['b', '2'],
    ['old', undefined],
  ],
}

test('acknowledged writes and any prefix of those in flight are right', () => {
  const states = [
    { old: '0', a: '1' },
    { a: '2', b: '2' },
    { a: '3', b: '2' },
  ].map(records)
  for (const [applied, found] of states.entries())
    expect(ledger([set('a', '1')], [batch, set('a', '3')]).settle(found)).toEqual({ applied })
})

test.each([
  ['an acknowledged write is lost', { old: '0' }, 'a: acknowledged "1" or one of 2 later writes, found nothing'],
  ['a stale value', { old: '0', a: '0' }, 'a: acknowledged "1" or one of 2 later writes, found "0"'],
  ['a key from nowhere', { old: '0', a: '1', c: '9' }, 'c: acknowledged nothing, found "9"'],
  ['half a batch', { old: '0', a: '2', b: '2' }, 'half applied'],
  ['a hole', { old: '0', a: '3' }, 'half applied or an operation was skipped'],
])('%s is a violation', (_name, found, message) => {
  const verdict = ledger([set('a', '1')], [batch, set('a', '3')]).settle(records(found))
  expect(verdict).toEqual({ violations: [expect.stringContaining(message)] })
})

test('a deleted key that comes back is a violation, also in later rounds', () => {
  const made = ledger([{ kind: 'del', writes: [['old', undefined]] }], [])
  expect(made.settle(records({}))).toEqual({ applied: 0 })
  expect(made.settle(records({ old: '0' }))).toEqual({ violations: [expect.stringContaining('old')] })
})
