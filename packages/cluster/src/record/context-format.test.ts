import { expect, test } from 'vitest'
import { actorOf } from '../causality/actor.js'
import { decodeContext, encodeContext } from './context-format.js'

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
