import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Glob } from './glob.js'

function matches(pattern: string, text: string): boolean {
  const glob = Glob.compile(Buffer.from(pattern, 'latin1'))
  return glob instanceof Glob && glob.matches(Buffer.from(text, 'latin1'))
}

/** The meaning, tried out letter by letter; exponential. */
function slowMatch(pattern: string, text: string): boolean {
  const first = pattern[0]
  if (first === undefined) return text === ''
  if (first === '*') return slowMatch(pattern.slice(1), text) || (text !== '' && slowMatch(pattern, text.slice(1)))
  return text !== '' && (first === '?' || first === text[0]) && slowMatch(pattern.slice(1), text.slice(1))
}

describe('Glob', () => {
  test.each([
    ['', '', true],
    ['*', '', true],
    ['h?llo', 'hello', true],
    ['h?llo', 'hllo', false],
    ['h[ae]llo', 'hallo', true],
    ['h[^e]llo', 'hello', false],
    ['h[a-c]llo', 'hbllo', true],
    ['h[c-a]llo', 'hbllo', true],
    ['h[a-', 'ha', true],
    ['[a', 'a', true],
    ['[]', 'a', false],
    ['\\*', '*', true],
    ['\\*', 'a', false],
    ['a\\', 'a\\', true],
    ['[\\]]', ']', true],
    ['*b*c', 'abbcc', true],
    ['*b*c', 'abbcd', false],
  ])('%j on %j is %j', (pattern, text, expected) => {
    expect(matches(pattern, text)).toBe(expected)
  })

  test('agrees with the definition', () => {
    const letters = (all: string, maxLength: number) =>
      fc.array(fc.constantFrom(...all), { maxLength }).map((found) => found.join(''))
    fc.assert(
      fc.property(letters('ab?*', 8), letters('ab', 10), (pattern, text) => {
        expect(matches(pattern, text)).toBe(slowMatch(pattern, text))
      }),
      { numRuns: 2000 },
    )
  })

  test('patterns that blow up a recursive matcher are answered', () => {
    expect(matches(`${'a*'.repeat(40)}b`, 'a'.repeat(40))).toBe(false)
    expect(matches('*?'.repeat(30_000), 'a'.repeat(40))).toBe(false)
    expect(matches('[a]'.repeat(20_000), 'a')).toBe(false)
  })

  test('a run after a star is bounded, and so is the pattern', () => {
    expect(Glob.compile(Buffer.from(`*${'a'.repeat(1025)}`))).toHaveProperty('reason')
    expect(Glob.compile(Buffer.alloc(65_536, 97))).toHaveProperty('reason')
    expect(Glob.compile(Buffer.alloc(65_535, 97))).toBeInstanceOf(Glob)
  })
})
