import { expect, test } from 'vitest'
import { actorOf } from '../causality/actor.js'
import { decodeContext, decodeSession, encodeContext, joinContexts } from './context-format.js'

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

const [one, two] = [actorOf(1, 0), actorOf(2, 0)]

test('joined contexts know what either knew, and the latest stamp', () => {
  const a = encodeContext({ history: [one, 3, two, 4], stampMs: 7, stampLogical: 2 })
  const b = encodeContext({ history: [one, 2, two, 4], stampMs: 7, stampLogical: 5 })
  const both = { history: [one, 3, two, 4], stampMs: 7, stampLogical: 5 }
  expect(decodeContext(joinContexts(a, b))).toEqual(both)
  expect(decodeContext(joinContexts(b, a))).toEqual(both)
  const none = new Uint8Array(0)
  expect(joinContexts(a, none)).toBe(a)
  expect(joinContexts(none, a)).toBe(a)
})

test('those of which neither knows the other stay apart, until something knows both', () => {
  const a = { history: [one, 3, two, 1], stampMs: 7, stampLogical: 2 }
  const b = { history: [one, 2, two, 4], stampMs: 6, stampLogical: 5 }
  const both = joinContexts(encodeContext(a), encodeContext(b))
  expect(Buffer.from(both).toString('hex').slice(0, 4)).toBe('c502')
  expect(decodeSession(both)).toEqual([b, a])
  expect(joinContexts(both, both)).toEqual(both)
  expect(() => decodeContext(both)).toThrow()
  const later = { history: [one, 3, two, 5], stampMs: 9, stampLogical: 0 }
  expect(decodeContext(joinContexts(encodeContext(later), both))).toEqual(later)
  for (const cut of [1, 2, 30, both.length - 1]) expect(() => decodeSession(both.subarray(0, cut))).toThrow(/context/)
})

test('the bound of a session: its oldest contexts become one', () => {
  let session: Uint8Array = new Uint8Array(0)
  for (let i = 1; i <= 20; i++)
    session = joinContexts(session, encodeContext({ history: [actorOf(i, 0), 1], stampMs: i, stampLogical: 0 }))
  const contexts = decodeSession(session)
  expect(contexts.map(({ history, stampMs }) => [history.length / 2, stampMs])).toEqual([
    [13, 13],
    ...Array.from({ length: 7 }, (_, i) => [1, 14 + i]),
  ])
})
