import { expect, test } from 'vitest'
import { prefixSuccessor } from './bytes.js'

test('the successor of a prefix leaves the prefix alone, also when it is a Buffer', () => {
  const prefix = Buffer.from([1, 2, 0xff])
  expect(prefixSuccessor(prefix)).toEqual(Uint8Array.of(1, 3))
  expect(prefix).toEqual(Buffer.from([1, 2, 0xff]))
  expect(prefixSuccessor(Uint8Array.of(0xff, 0xff))).toBeUndefined()
})
