import { expect, test } from 'vitest'
import { decodeLoadgenState, encodeLoadgenState } from './loadgen-state-format.js'

const state = {
  valueBytes: 100,
  recordCount: 2,
  keyPrefix: 'user',
  acknowledged: Uint32Array.of(1, 0, 7),
  issued: Uint32Array.of(1, 2, 4_000_000_000),
}
/** Version 1, for good: a change of these bytes is a new version. */
const golden = 'Q1NLTE9BREcBAAAAZAAAAAIAAAADAAAABAAAAHVzZXIBAAAAAAAAAAcAAAABAAAAAgAAAAAoa+6Qu6Xi'

test('the golden file is what is written and what is read', () => {
  expect(encodeLoadgenState(state).toString('base64')).toBe(golden)
  expect(decodeLoadgenState(Buffer.from(golden, 'base64'))).toEqual(state)
})

test('damage is named', () => {
  const bytes = Buffer.from(golden, 'base64')
  expect(() => decodeLoadgenState(Buffer.from('hello, this is something else entirely'))).toThrow(
    'not a load generator state file',
  )
  expect(() => decodeLoadgenState(bytes.subarray(0, -1))).toThrow(/bytes instead of/)
  bytes[30]! ^= 1
  expect(() => decodeLoadgenState(bytes)).toThrow('checksum mismatch')
  bytes.writeUInt32LE(2, 8)
  expect(() => decodeLoadgenState(bytes)).toThrow('version 2; this program reads version 1')
})
