import { expect, test } from 'vitest'
import { MalformedFrameError } from '../wire/malformed-frame-error.js'
import { decodeMembership, encodeMembership, rumourBytes } from './membership-format.js'
import type { Rumour } from './rumour.js'

const rumour: Rumour = {
  id: '00000000000000a1',
  verdict: 'suspect',
  incarnation: 2,
  boot: 3,
  run: 0x01020304,
  refutation: 5,
  accuser: '00000000000000b2',
  address: 'h:7',
}
const message = { sequence: 258, target: '00000000000000c3', rumours: [rumour] }
const golden = [
  '02010000', // sequence
  '00000000000000c3', // target
  '0100', // rumours
  '00000000000000a1 01 02000000 03000000 04030201 05000000 00000000000000b2 0300683a37',
]
  .join('')
  .replaceAll(' ', '')

test('golden', () => {
  expect(Buffer.from(encodeMembership(message)).toString('hex')).toBe(golden)
  expect(decodeMembership(Buffer.from(golden, 'hex'))).toEqual(message)
  expect(encodeMembership(message)).toHaveLength(14 + rumourBytes(rumour))
})

test('what is cut, too long or unknown is refused', () => {
  const bytes = Buffer.from(golden, 'hex')
  for (let end = 0; end < bytes.length; end++)
    expect(() => decodeMembership(bytes.subarray(0, end))).toThrow(MalformedFrameError)
  expect(() => decodeMembership(Buffer.concat([bytes, Buffer.alloc(1)]))).toThrow(MalformedFrameError)
  const verdict = Buffer.from(bytes)
  verdict[22] = 9
  expect(() => decodeMembership(verdict)).toThrow(MalformedFrameError)
  const many = Buffer.from(bytes)
  many.writeUInt16LE(65535, 12)
  expect(() => decodeMembership(many)).toThrow(/65535 rumours/)
})
