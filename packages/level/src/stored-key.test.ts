import { compareBytes } from '@caskade/engine'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { levelKey, storedKey } from './stored-key.js'

/** Many zeros, and much that is alike. */
const keys = fc.uint8Array({ maxLength: 5, max: 2 })

test('is never empty, has an inverse, and keeps the order of all keys', () => {
  fc.assert(
    fc.property(keys, keys, (a, b) => {
      expect(storedKey(a).length).toBeGreaterThan(0)
      expect(levelKey(storedKey(a))).toEqual(a)
      expect(Math.sign(compareBytes(storedKey(a), storedKey(b)))).toBe(Math.sign(compareBytes(a, b)))
    }),
    { numRuns: 2000 },
  )
})

test('leaves keys alone that are not all zeros', () => {
  const key = new Uint8Array([0, 0, 1])
  expect(storedKey(key)).toBe(key)
  expect(levelKey(key)).toBe(key)
})
