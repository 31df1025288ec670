import { expect, test } from 'vitest'
import { actorOf } from '../causality/actor.js'
import { decodeContext, encodeContext, joinContexts } from './context-format.js'

test('golden', () => {
  const context = {
    history: [actorOf(1, 2), 3, actorOf(258, 0), 2 ** 40],
    stampMs: 1_700_000_000_123,
    stampLogical: 260,
  }
  const hex = 'c2018bcfe5687b01040002000001000000020000000000030001020000000001000000 0000'.replace(' ', '')
  expect(Buffer.from(encodeContext(context)).toString('hex')).toBe(hex)
  expect(decodeContext(Buffer.from(hex, 'hex'))).toEqual(context)
})

test('joined contexts know what either knew, and its latest stamp', () => {
  const [one, two] = [actorOf(1, 0), actorOf(2, 0)]
  const a = encodeContext({ history: [one, 3, two, 1], stampMs: 7, stampLogical: 2 })
  const b = encodeContext({ history: [one, 2, two, 4], stampMs: 7, stampLogical: 5 })
  const both = { history: [one, 3, two, 4], stampMs: 7, stampLogical: 5 }
  expect(decodeContext(joinContexts(a, b))).toEqual(both)
  expect(decodeContext(joinContexts(b, a))).toEqual(both)
  const none = new Uint8Array(0)
  expect(joinContexts(a, none)).toBe(a)
  expect(joinContexts(none, a)).toBe(a)
})
