import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FrameWindow } from './frame-window.js'

test('every frame once, in whatever order they come', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { maxLength: 400 }), (numbers) => {
      const window = new FrameWindow()
      const seen = new Set<number>()
      for (const number of numbers) {
        expect(window.admit(7, number)).toBe(!seen.has(number))
        seen.add(number)
      }
    }),
  )
})

test('what is older than the window counts as lost; a new run begins anew', () => {
  const window = new FrameWindow()
  expect(window.admit(1, 1)).toBe(true)
  expect(window.admit(1, 5000)).toBe(true)
  expect(window.admit(1, 5000 - 1024)).toBe(false)
  expect(window.admit(1, 5000 - 1023)).toBe(true)
  expect(window.admit(2, 1)).toBe(true)
})

test('a frame of the run before comes late: neither run forgets what it has seen', () => {
  const window = new FrameWindow()
  for (const run of [1, 2, 3]) for (let number = 1; number <= 5; number++) expect(window.admit(run, number)).toBe(true)
  expect([window.admit(2, 6), window.admit(2, 5), window.admit(3, 5), window.admit(3, 6)]).toEqual([
    true,
    false,
    false,
    true,
  ])
})
