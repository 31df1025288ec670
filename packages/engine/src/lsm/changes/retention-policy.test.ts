import { expect, test } from 'vitest'
import { chooseForgotten } from './retention-policy.js'

test('the newest are kept as far as they fit', () => {
  const kept = [3, 4, 6, 9].map((number) => ({ number, bytes: 10 }))
  expect(chooseForgotten(kept, 40)).toEqual([])
  expect(chooseForgotten(kept, 39)).toEqual([3])
  expect(chooseForgotten(kept, 20)).toEqual([3, 4])
  expect(chooseForgotten(kept, 9)).toEqual([3, 4, 6, 9])
  expect(chooseForgotten([], 0)).toEqual([])
})
