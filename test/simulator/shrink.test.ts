import { expect, test } from 'vitest'
import { shrinkList } from './shrink.js'

const numbers = Array.from({ length: 100 }, (_, i) => i)

test('what is needed for the failure is left, and nothing else', async () => {
  const fails = async (list: readonly number[]) => [7, 42, 43].every((needed) => list.includes(needed))
  expect(await shrinkList(numbers, fails, 1000)).toEqual([7, 42, 43])
})

test('a failure that needs nothing leaves nothing', async () => {
  expect(await shrinkList(numbers, async () => true, 1000)).toEqual([])
  expect(await shrinkList([], async () => true, 1000)).toEqual([])
})

test('it stops at the bound, with a list that fails', async () => {
  let tries = 0
  const kept = await shrinkList(
    numbers,
    async (list) => {
      tries++
      return list.includes(99)
    },
    5,
  )
  expect(tries).toBe(5)
  expect(kept).toContain(99)
})
