import fc from 'fast-check'
import { expect, test } from 'vitest'
import { count, describe, majority, met, reachable, reached } from './quorum.js'

test('drawn', () => {
  const names = ['a', 'b', 'c', 'd']
  expect([
    describe(names, [0b0111], 0b0001, 2),
    describe(names, [0b0111], 0b0101, 2),
    // d is no owner of the one set: it does not count.
    describe(names, [0b0111], 0b1001, 2),
    // During a move, a quorum of the old set alone is none.
    describe(names, [0b0111, 0b1110], 0b0011, 2),
    describe(names, [0b0111, 0b1110], 0b0110, 2),
    describe(names, [0b0111, 0b1110], 0b1011, 2),
  ]).toEqual([
    '[a b c], 2 of each: a · · · → waits',
    '[a b c], 2 of each: a · c · → reached',
    '[a b c], 2 of each: a · · d → waits',
    '[a b c] + [b c d], 2 of each: a b · · → waits',
    '[a b c] + [b c d], 2 of each: · b c · → reached',
    '[a b c] + [b c d], 2 of each: a b · d → reached',
  ])
})

const mask = fc.integer({ min: 0, max: 2 ** 30 - 1 })

test('count is the number of bits', () => {
  fc.assert(fc.property(mask, (m) => count(m) === m.toString(2).replaceAll('0', '').length))
})

test('any two majorities meet, and a read meets what a read has left behind', () => {
  const owners = fc.integer({ min: 1, max: 9 })
  fc.assert(
    fc.property(owners, mask, mask, (n, a, b) => {
      const set = [(1 << n) - 1]
      if (reached(set, a, majority(n)) && reached(set, b, majority(n))) expect(a & b & set[0]!).not.toBe(0)
    }),
  )
  fc.assert(
    fc.property(owners, owners, mask, mask, (n, r, held, asked) => {
      fc.pre(r <= n)
      const set = [(1 << n) - 1]
      if (met(set, held, r) && reached(set, asked, r)) expect(held & asked & set[0]!).not.toBe(0)
    }),
  )
})

test('a set smaller than what is needed needs all of its own', () => {
  expect(reached([0b1], 0b1, 2)).toBe(true)
  expect(reached([0b1, 0b111], 0b001, 2)).toBe(false)
  expect(reached([0b1, 0b111], 0b101, 2)).toBe(true)
  expect(met([0b1], 0b1, 2)).toBe(true)
  expect(met([0b11], 0b1, 2)).toBe(true)
  expect(met([0b111], 0b1, 2)).toBe(false)
})

test('reachable until too many have failed', () => {
  expect(reachable([0b111], 0b001, 2)).toBe(true)
  expect(reachable([0b111], 0b011, 2)).toBe(false)
  expect(reachable([0b0111, 0b1110], 0b1001, 2)).toBe(true)
  expect(reachable([0b0111, 0b1110], 0b1010, 2)).toBe(false)
})
