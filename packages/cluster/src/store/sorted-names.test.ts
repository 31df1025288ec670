import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SortedNames } from './sorted-names.js'

test('as a sorted list, through any history', () => {
  const name = fc.nat(3000).map((i) => `${'ab'[i % 2]}/${i.toString(36)}`)
  fc.assert(
    fc.property(
      fc.array(fc.record({ name, remove: fc.boolean() }), { maxLength: 3000, size: 'max' }),
      fc.constantFrom('', 'a', 'a/', 'b/1', 'c'),
      fc.option(name, { nil: undefined }),
      fc.nat(50),
      (steps, prefix, after, limit) => {
        const names = new SortedNames()
        const model = new Set<string>()
        for (const { name, remove } of steps) {
          if (remove) names.remove(name)
          else names.add(name)
          if (remove) model.delete(name)
          else model.add(name)
        }
        const expected = [...model]
          .sort()
          .filter((each) => each.startsWith(prefix) && !(after !== undefined && each <= after))
        expect(names.page(prefix, after, limit)).toEqual(expected.slice(0, limit))
        expect(names.page(prefix, after, 1e6)).toEqual(expected)
      },
    ),
    { numRuns: 50 },
  )
})
