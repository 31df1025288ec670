import { expect, test } from 'vitest'
import { MalformedFrameError } from '../wire/malformed-frame-error.js'
import { decodeReady, encodeReady } from './move-format.js'

const message = { from: 3, to: 4, moves: [{ partition: 517, since: 9 }] }
const golden = '0300000004000000010005020900000000000000'

test('golden', () => {
  expect(Buffer.from(encodeReady(message)).toString('hex')).toBe(golden)
  expect(decodeReady(Buffer.from(golden, 'hex'))).toEqual(message)
})

test('what is cut short, or too long, is refused', () => {
  const bytes = Buffer.from(golden, 'hex')
  for (let size = 0; size < bytes.length; size++)
    expect(() => decodeReady(bytes.subarray(0, size))).toThrow(MalformedFrameError)
  expect(() => decodeReady(Buffer.concat([bytes, Buffer.of(0)]))).toThrow(MalformedFrameError)
})
