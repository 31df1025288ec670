import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { JsonScanner, JsonSyntaxError, jsonDepthMax, textOf, utf8Of } from './json-scanner.js'

const scan = (text: string) => {
  const scanner = new JsonScanner(Buffer.from(text))
  const slice = scanner.value()
  scanner.finish()
  return slice
}

describe('JsonScanner', () => {
  test('accepts whatever JSON.stringify writes, and finds its ends', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 8 }), fc.constantFrom('', ' ', '\n\t '), (text, space) => {
        const slice = scan(space + text + space)
        expect([slice.start, slice.end]).toEqual([space.length, space.length + Buffer.byteLength(text)])
      }),
    )
  })

  test('accepts exactly the mutated texts that JSON.parse accepts', () => {
    const mutated = fc
      .tuple(fc.json({ maxDepth: 3 }), fc.nat(), fc.constantFrom(...'{}[],:"\\0123-+.eEtfnu \n\u0001'))
      .map(([text, at, insert]) => {
        const place = at % (text.length + 1)
        return text.slice(0, place) + insert + text.slice(place + (at % 2))
      })
      .filter((text) => !/\p{Surrogate}/u.test(text))
    const parses = (text: string) => {
      try {
        JSON.parse(text)
        return true
      } catch {
        return false
      }
    }
    const scans = (text: string) => {
      try {
        scan(text)
        return true
      } catch (error) {
        expect(error).toBeInstanceOf(JsonSyntaxError)
        return false
      }
    }
    fc.assert(
      fc.property(mutated, (text) => {
        expect(scans(text), text).toBe(parses(text))
      }),
      { numRuns: 3000 },
    )
  })

  test.each([
    ['01', 'the end, found "1" at byte 1'],
    ['1.', 'a digit, found the end at byte 2'],
    ['-', 'a digit'],
    ['.5', 'a value, found "." at byte 0'],
    ['[1,]', 'a value, found "]" at byte 3'],
    ['{"a":1,}', 'a member name'],
    ['{"a" 1}', '":"'],
    ['[1}', '"," or "]"'],
    ['nul', 'null'],
    ['NaN', 'a value'],
    ['"\\x"', 'after a backslash'],
    ['"\\u12g4"', 'four hexadecimal digits'],
    ['"a', 'the closing quote'],
    ['"a\nb"', 'control characters'],
    ['\ufeff1', 'a value, found byte 0xef at byte 0'],
    ['', 'a value, found the end at byte 0'],
    ["'a'", 'a value'],
  ])('refuses %j', (text, message) => {
    expect(() => scan(text)).toThrow(message)
  })

  test('nesting is bounded, and 200,000 levels cost nothing', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    expect(scan(nested(jsonDepthMax)).end).toBe(2 * jsonDepthMax)
    expect(() => scan(nested(jsonDepthMax + 1))).toThrow(`nested deeper than ${jsonDepthMax} at byte ${jsonDepthMax}`)
    expect(() => scan('['.repeat(200_000))).toThrow('nested deeper')
    expect(() => scan('{"a":'.repeat(200_000))).toThrow('nested deeper')
  })

  test('text and bytes of strings', () => {
    const bytes = Buffer.from('["plain é", "tab\\t", "\\ud83d\\ude00", "\\ud83d"]')
    const scanner = new JsonScanner(bytes)
    const found: [string, string | undefined][] = []
    scanner.array(() => {
      const slice = scanner.stringSlice()
      found.push([textOf(bytes, slice), utf8Of(bytes, slice)?.toString()])
    })
    expect(found).toEqual([
      ['plain é', 'plain é'],
      ['tab\t', 'tab\t'],
      ['😀', '😀'],
      ['\ud83d', undefined],
    ])
  })
})
